import { toString as qrCode } from 'qrcode';
import { z } from 'zod';
import { getPendingEnrollment } from '../../src/mfa/enrollment.ts';
import { activateMfa } from '../../src/mfa/two-step.ts';
import { isTicked, SignOutOthers, signOutOthersFields } from './sign-out-others.tsx';
import type { StepPage, InteractionContext } from './interaction-context.ts';
import { verifiedUser, factorChangeContext } from './interaction-context.ts';
import { Form, SecondaryButton, SixDigitField, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';

type EnrollmentPageProps = {
  frame: Frame;
  /** The first phone, or one that takes another's place. */
  step: 'enrollment' | 're-enrollment';
  /** Whether "sign out on all other devices" is ticked. */
  endOthers: boolean;
  /** The person may take back that the old phone is gone. */
  found?: boolean;
  action: string;
  token: string;
  /** What the app will call the account, usually the e-mail address. */
  accountName: string;
  /** Drawn by us, never by anybody outside: it goes into the page as it is. */
  qrSvg: string;
  /** The base32 secret; shown in groups of four. */
  secret: string;
  /** Opens the app when the page is read on the phone itself. */
  otpauthUri: string;
  refusal?: Refusal | undefined;
};

export function EnrollmentPage(props: EnrollmentPageProps) {
  const { frame, action, token, refusal, step, endOthers, found } = props;
  const t = frame.t.enrollment;
  const { title, intro } = step === 'enrollment' ? t : frame.t.reEnrollment;
  return (
    <Layout frame={frame} title={title} step={step} scripts={['six-digits', 'waiting-button']}>
      <h1>{title}</h1>
      <p class="lead">{intro}</p>
      <ol class="steps">
        <li>
          <h2>{t.openApp}</h2>
          <p class="quiet">{t.openAppHelp}</p>
        </li>
        <li>
          <h2>{t.scan}</h2>
          <QrCodeSection {...props} />
        </li>
        <li>
          <Form action={action} token={token} refusal={refusal} fields={['code']}>
            <SixDigitField label={t.type} refusal={refusal} autofocus={false} />
            <SignOutOthers frame={frame} ticked={endOthers} />
            <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
          </Form>
        </li>
      </ol>
      {found && (
        <Form action={action} token={token}>
          <SecondaryButton name="phoneGone" value="no" waiting={frame.t.form.waiting}>
            {frame.t.reEnrollment.found}
          </SecondaryButton>
        </Form>
      )}
    </Layout>
  );
}

function QrCodeSection({ frame, accountName, qrSvg, secret, otpauthUri }: EnrollmentPageProps) {
  const t = frame.t.enrollment;
  return (
    <div class="scan">
      <p class="quiet">{t.scanHelp}</p>
      <figure>
        <div
          class="qr"
          role="img"
          aria-label={t.qrCode(accountName)}
          dangerouslySetInnerHTML={{ __html: qrSvg }}
        />
        <figcaption>{accountName}</figcaption>
      </figure>
      <p class="on-phone">
        <a href={otpauthUri}>{t.onThisPhone}</a>
      </p>
      <details>
        <summary>{t.cannotScan}</summary>
        <p class="quiet">{t.keyHelp}</p>
        <dl>
          <dt>{t.account}</dt>
          <dd>{accountName}</dd>
          <dt>{t.key}</dt>
          <dd class="code" data-key={secret}>
            {secret.match(/.{1,4}/g)?.join(' ')}
          </dd>
          <dt>{t.kind}</dt>
          <dd>{t.timeBased}</dd>
        </dl>
      </details>
    </div>
  );
}

const enrollmentForm = z.object({ code: z.string().max(200).default(''), ...signOutOthersFields });

/** What the page shows of the pending secret: QR code, key, and the address that opens the app. */
export async function enrollmentPageProps(interaction: InteractionContext) {
  const { house: context, record, frame, action, token } = interaction;
  const user = verifiedUser(interaction);
  const brand = context.settings.HEMMA_BRAND_NAME;
  const { key, uri } = await getPendingEnrollment(context.db, context.vault, {
    account: user,
    interaction: record.uid,
    brand,
  });
  const qrSvg = await qrCode(uri, { type: 'svg', margin: 2, errorCorrectionLevel: 'M' });
  return { frame, action, token, accountName: user.email, qrSvg, secret: key, otpauthUri: uri };
}

export const enrollmentStep: StepPage<z.output<typeof enrollmentForm>> = {
  form: enrollmentForm,
  async show(interaction, refusal, typed) {
    const endOthers = isTicked(refusal, typed);
    return (
      <EnrollmentPage
        {...await enrollmentPageProps(interaction)}
        step="enrollment"
        {...{ endOthers, refusal }}
      />
    );
  },
  async answer(interaction, { code, endOtherSessions }) {
    const { db, vault: encryption, post: enqueueMail, aftermath: after } = interaction.house;
    const refused = await activateMfa(db, encryption, enqueueMail, after.endWeakerSignIns, {
      ...factorChangeContext(interaction),
      code,
      endOtherSessions: endOtherSessions === 'yes',
    });
    return refused && { ...refused, field: 'code' };
  },
};
