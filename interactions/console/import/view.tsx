import type { ImportCounts, RefusedRow } from '../../../src/users/import/import.ts';
import type { Refusal } from '../../ui/form.tsx';
import { AlertIcon, Choice, Form, SecondaryButton, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import { ConsolePage, ConsolePageSection, Table } from '../layout.tsx';

const importPath = '/admin/people/import';

/** What is done beside the import, as the form says it. */
export type ImportFormOptions = { createGroups?: 'yes' | undefined; invite?: 'yes' | undefined };

/** What came of a file, or would. */
export interface ImportOutcome {
  counts: ImportCounts;
  /** The first rows that are not imported, and how many more there are. */
  faults: readonly RefusedRow[];
  moreFaults: number;
  /** The file of a dry run, sealed, for the form that imports it. */
  checked: string | undefined;
}

type ImportPageProps = {
  visit: ConsoleContext;
  choices: ImportFormOptions;
  /** How many rows a file of this page may have. */
  mostRows: number;
  refusal?: Refusal | undefined;
};

/** A number as people write it. */
const formatCount = ({ frame }: ConsoleContext, count: number): string => count.toLocaleString(frame.locale);

/** Which file, and what is done beside it; the first press only judges it. */
export function ImportPage({ visit: consoleContext, choices, mostRows, refusal }: ImportPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.console.import;
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="import" part="people">
      <p class="lead">{t.help}</p>
      <Form action={importPath} token={token} refusal={refusal} fields={['file']} upload>
        <FileField
          label={t.file}
          help={t.fileHelp(formatCount(consoleContext, mostRows))}
          refusal={refusal}
        />
        <p class="help">{t.columns}</p>
        <div>
          <Choice name="createGroups" value="yes" label={t.createGroups} checked={!!choices.createGroups} />
          <Choice name="invite" value="yes" label={t.invite} checked={!!choices.invite} />
        </div>
        <SubmitButton waiting={t.checking}>{t.check}</SubmitButton>
      </Form>
      <ExportForm visit={consoleContext} />
    </ConsolePage>
  );
}

function FileField({ label, help, refusal }: { label: string; help: string; refusal: Refusal | undefined }) {
  const ownRefusal = refusal?.field === 'file' ? refusal : undefined;
  return (
    <div class="field">
      <label for="file">{label}</label>
      <p class="help" id="file-help">
        {help}
      </p>
      {ownRefusal && (
        <p class="refusal" role="alert" id="file-refusal" data-refusal={ownRefusal.code}>
          <AlertIcon />
          <span>{ownRefusal.message}</span>
        </p>
      )}
      <input
        id="file"
        name="file"
        type="file"
        class="input"
        accept=".csv,.json,.txt,text/csv,application/json"
        autofocus={ownRefusal !== undefined}
        aria-invalid={ownRefusal ? 'true' : undefined}
        aria-describedby={ownRefusal ? 'file-refusal file-help' : 'file-help'}
      />
    </div>
  );
}

function ExportForm({ visit: consoleContext }: { visit: ConsoleContext }) {
  const t = consoleContext.frame.t.console.import;
  return (
    <ConsolePageSection title={t.exportTitle} name="download">
      <p class="quiet">{t.exportHelp}</p>
      <Form action="/admin/people/export" token={consoleContext.token} stays>
        <SecondaryButton name="format" value="csv" waiting={t.waiting}>
          {t.csv}
        </SecondaryButton>
        <SecondaryButton name="format" value="json" waiting={t.waiting}>
          {t.json}
        </SecondaryButton>
      </Form>
    </ConsolePageSection>
  );
}

type ImportResultPageProps = { visit: ConsoleContext; choices: ImportFormOptions; outcome: ImportOutcome };

/** What would happen, with the button that makes it happen; or what did. Row by row where something is amiss. */
export function ImportResultPage({ visit: consoleContext, choices, outcome }: ImportResultPageProps) {
  const t = consoleContext.frame.t.console.import;
  const { counts, faults, moreFaults, checked } = outcome;
  const dryRun = checked !== undefined;
  const users = t.people(counts.created, formatCount(consoleContext, counts.created));
  return (
    <ConsolePage
      visit={consoleContext}
      title={dryRun ? t.wouldTitle : t.didTitle}
      step={dryRun ? 'import-checked' : 'imported'}
      part="people"
      notice={dryRun ? undefined : t.did(users)}
    >
      {dryRun && <p class="lead">{counts.created > 0 ? t.would(users) : t.nothing}</p>}
      <CountsTable visit={consoleContext} counts={counts} />
      {dryRun && counts.created > 0 && (
        <Form action={importPath} token={consoleContext.token} upload>
          {choices.createGroups && <input type="hidden" name="createGroups" value="yes" />}
          {choices.invite && <input type="hidden" name="invite" value="yes" />}
          <input type="hidden" name="checked" value={checked} />
          <SubmitButton waiting={t.importing}>{t.button(users)}</SubmitButton>
        </Form>
      )}
      <LinkList
        ways={
          dryRun
            ? [{ href: importPath, label: t.anotherFile }]
            : [{ href: '/admin/people', label: t.toPeople }]
        }
      />
      {faults.length > 0 && <FaultsTable visit={consoleContext} faults={faults} more={moreFaults} />}
    </ConsolePage>
  );
}

function CountsTable({
  visit: consoleContext,
  counts,
}: {
  visit: ConsoleContext;
  counts: ImportOutcome['counts'];
}) {
  const t = consoleContext.frame.t.console.import;
  return (
    <dl class="facts">
      {(['rows', 'created', 'existing', 'refused'] as const).map((name) => (
        <div key={name} data-count={name}>
          <dt>{t[name]}</dt>
          <dd>{formatCount(consoleContext, counts[name])}</dd>
        </div>
      ))}
    </dl>
  );
}

function FaultsTable({
  visit: consoleContext,
  faults,
  more,
}: {
  visit: ConsoleContext;
  faults: readonly RefusedRow[];
  more: number;
}) {
  const t = consoleContext.frame.t.console.import;
  const words = consoleContext.frame.t.accountsImport.rows;
  return (
    <section data-section="faults">
      <h2>{t.faults}</h2>
      <div>
        <Table
          caption={t.faults}
          columns={[t.row, t.column, t.why]}
          rows={faults.map(({ row, code, field }) => ({
            key: row,
            cells: [
              formatCount(consoleContext, row),
              field ? (
                <span key="column" class="code">
                  {field}
                </span>
              ) : (
                '–'
              ),
              <span key="why" data-fault={code}>
                {words[code]}
              </span>,
            ],
          }))}
        />
        {more > 0 && <p class="quiet">{t.moreFaults(formatCount(consoleContext, more))}</p>}
      </div>
    </section>
  );
}
