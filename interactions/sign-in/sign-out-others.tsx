import { z } from 'zod';
import { Choice } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import type { Frame } from '../ui/layout.tsx';

/** What the form of every page that adds, replaces or removes a factor has in addition (ASVS 7.4.3). */
export const signOutOthersFields = { endOtherSessions: z.literal('yes').optional() };

/** Whether it is ticked: at first it is, and a form that was refused keeps what the user chose. */
export const isTicked = (refusal: Refusal | undefined, typed: { endOtherSessions?: 'yes' | undefined }) =>
  refusal ? typed.endOtherSessions === 'yes' : true;

/** The offer to sign out on all other devices, above the button of such a page. */
export const SignOutOthers = ({ frame, ticked }: { frame: Frame; ticked: boolean }) => (
  <Choice name="endOtherSessions" value="yes" label={frame.t.form.signOutOthers} checked={ticked} />
);
