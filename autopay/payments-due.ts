export interface Payment {
  id: string;
  payee: string;
  account: string;
  reference: string;
  /** Days from today: an example that never grows old. */
  dueIn: number;
  /** In öre. */
  amount: number;
}

export const PAYMENTS: readonly Payment[] = [
  {
    id: '2041',
    payee: 'Nordvik Kontor AB',
    account: 'Bankgiro 512-0447',
    reference: 'Faktura 88213',
    dueIn: 2,
    amount: 1_249_00,
  },
  {
    id: '2042',
    payee: 'Sjöbergs El & Bygg',
    account: 'Bankgiro 5398-2216',
    reference: 'OCR 7 4410 2098 13',
    dueIn: 3,
    amount: 48_375_50,
  },
  {
    id: '2043',
    payee: 'Västkusten Frakt AB',
    account: 'Plusgiro 41 80 22-7',
    reference: 'Faktura F-1190',
    dueIn: 6,
    amount: 9_860_00,
  },
  {
    id: '2044',
    payee: 'Hantverkargatans Fastighets AB',
    account: 'Bankgiro 733-1904',
    reference: 'Hyra, kvartal',
    dueIn: 9,
    amount: 126_000_00,
  },
  {
    id: '2045',
    payee: 'Kardemumma Catering',
    account: 'Bankgiro 5811-6630',
    reference: 'OCR 2 0931 5577 06',
    dueIn: 14,
    amount: 3_412_75,
  },
];

export function findPayment(id: string | undefined): Payment | undefined {
  return PAYMENTS.find((payment) => payment.id === id);
}

/** Where a payment stands on the page. */
export function paymentPath({ id }: Payment): string {
  return `/#payment-${id}`;
}
