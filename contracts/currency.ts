/**
 * ISO 4217 codes in use and their number of minor digits. Codes for funds, metals and testing are left out, because no till
 * takes them. Source: ISO 4217:2015 list one, as amended to the end of 2025.
 */
const withTwoDigits =
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP ' +
  'CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR ' +
  'JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN ' +
  'NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP ' +
  'SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG';
const withoutDigits = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF';
const withThreeDigits = 'BHD IQD JOD KWD LYD OMR TND';

const minorDigits = new Map<string, number>([
  ...withTwoDigits.split(' ').map((code) => [code, 2] as const),
  ...withoutDigits.split(' ').map((code) => [code, 0] as const),
  ...withThreeDigits.split(' ').map((code) => [code, 3] as const),
]);

export const currencies: readonly string[] = [...minorDigits.keys()];

export const isCurrency = (code: string): boolean => minorDigits.has(code);

/** Digits after the decimal point: EUR 2, JPY 0, KWD 3. Undefined for a code not in use. */
export const minorDigitsOf = (code: string): number | undefined => minorDigits.get(code);
