import type { ImportCounts, RefusedRow } from '../../../src/users/import/import.ts';
import type { Refusal } from '../../ui/form.tsx';
import { AlertIcon, Choice, Form, SecondaryButton, SubmitButton, Ways } from '../../ui/form.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { ConsolePage, Section, Table } from '../layout.tsx';

const path = '/admin/people/import';

/** What is done beside the import, as the form says it. */
export type Choices = { createGroups?: 'yes' | undefined; invite?: 'yes' | undefined };

/** What came of a file, or would. */
export interface Outcome {
  counts: ImportCounts;
  /** The first rows that are not imported, and how many more there are. */
  faults: readonly RefusedRow[];
  moreFaults: number;
  /** The file of a dry run, sealed, for the form that imports it. */
  checked: string | undefined;
}

type ImportPageProps = {
  visit: AdminVisit;
  choices: Choices;
  /** How many rows a file of this page may have. */
  mostRows: number;
  refusal?: Refusal | undefined;
};

/** A number as people write it. */
const counted = ({ frame }: AdminVisit, count: number): string => count.toLocaleString(frame.locale);

/** Which file, and what is done beside it; the first press only judges it. */
export function ImportPage({ visit, choices, mostRows, refusal }: ImportPageProps) {
  const { frame, token } = visit;
  const t = frame.t.console.import;
  return (
    <ConsolePage visit={visit} title={t.title} step="import" part="people">
      <p class="lead">{t.help}</p>
      <Form action={path} token={token} refusal={refusal} fields={['file']} upload>
        <FileField label={t.file} help={t.fileHelp(counted(visit, mostRows))} refusal={refusal} />
        <p class="help">{t.columns}</p>
        <div>
          <Choice name="createGroups" value="yes" label={t.createGroups} checked={!!choices.createGroups} />
          <Choice name="invite" value="yes" label={t.invite} checked={!!choices.invite} />
        </div>
        <SubmitButton waiting={t.checking}>{t.check}</SubmitButton>
      </Form>
      <Download visit={visit} />
    </ConsolePage>
  );
}

function FileField({ label, help, refusal }: { label: string; help: string; refusal: Refusal | undefined }) {
  const mine = refusal?.field === 'file' ? refusal : undefined;
  return (
    <div class="field">
      <label for="file">{label}</label>
      <p class="help" id="file-help">
        {help}
      </p>
      {mine && (
        <p class="refusal" role="alert" id="file-refusal" data-refusal={mine.code}>
          <AlertIcon />
          <span>{mine.message}</span>
        </p>
      )}
      <input
        id="file"
        name="file"
        type="file"
        class="input"
        accept=".csv,.json,.txt,text/csv,application/json"
        autofocus={mine !== undefined}
        aria-invalid={mine ? 'true' : undefined}
        aria-describedby={mine ? 'file-refusal file-help' : 'file-help'}
      />
    </div>
  );
}

function Download({ visit }: { visit: AdminVisit }) {
  const t = visit.frame.t.console.import;
  return (
    <Section title={t.exportTitle} name="download">
      <p class="quiet">{t.exportHelp}</p>
      <Form action="/admin/people/export" token={visit.token} stays>
        <SecondaryButton name="format" value="csv" waiting={t.waiting}>
          {t.csv}
        </SecondaryButton>
        <SecondaryButton name="format" value="json" waiting={t.waiting}>
          {t.json}
        </SecondaryButton>
      </Form>
    </Section>
  );
}

type ImportedPageProps = { visit: AdminVisit; choices: Choices; outcome: Outcome };

/** What would happen, with the button that makes it happen; or what did. Row by row where something is amiss. */
export function ImportedPage({ visit, choices, outcome }: ImportedPageProps) {
  const t = visit.frame.t.console.import;
  const { counts, faults, moreFaults, checked } = outcome;
  const dryRun = checked !== undefined;
  const people = t.people(counts.created, counted(visit, counts.created));
  return (
    <ConsolePage
      visit={visit}
      title={dryRun ? t.wouldTitle : t.didTitle}
      step={dryRun ? 'import-checked' : 'imported'}
      part="people"
      notice={dryRun ? undefined : t.did(people)}
    >
      {dryRun && <p class="lead">{counts.created > 0 ? t.would(people) : t.nothing}</p>}
      <Counts visit={visit} counts={counts} />
      {dryRun && counts.created > 0 && (
        <Form action={path} token={visit.token} upload>
          {choices.createGroups && <input type="hidden" name="createGroups" value="yes" />}
          {choices.invite && <input type="hidden" name="invite" value="yes" />}
          <input type="hidden" name="checked" value={checked} />
          <SubmitButton waiting={t.importing}>{t.button(people)}</SubmitButton>
        </Form>
      )}
      <Ways
        ways={
          dryRun ? [{ href: path, label: t.anotherFile }] : [{ href: '/admin/people', label: t.toPeople }]
        }
      />
      {faults.length > 0 && <Faults visit={visit} faults={faults} more={moreFaults} />}
    </ConsolePage>
  );
}

function Counts({ visit, counts }: { visit: AdminVisit; counts: Outcome['counts'] }) {
  const t = visit.frame.t.console.import;
  return (
    <dl class="facts">
      {(['rows', 'created', 'existing', 'refused'] as const).map((name) => (
        <div key={name} data-count={name}>
          <dt>{t[name]}</dt>
          <dd>{counted(visit, counts[name])}</dd>
        </div>
      ))}
    </dl>
  );
}

function Faults({ visit, faults, more }: { visit: AdminVisit; faults: readonly RefusedRow[]; more: number }) {
  const t = visit.frame.t.console.import;
  const words = visit.frame.t.accountsImport.rows;
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
              counted(visit, row),
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
        {more > 0 && <p class="quiet">{t.moreFaults(counted(visit, more))}</p>}
      </div>
    </section>
  );
}
