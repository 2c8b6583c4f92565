/** The one page; everything on it has an address in the fragment (state/address.ts). */
import { LabPage } from '../shell/lab-page.tsx';

export default function Page() {
  return <LabPage />;
}
