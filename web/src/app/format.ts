// Numbers, times and sizes as people read them. English now; the locale stands in one place.
const LOCALE = 'en-GB';

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const dateTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const date = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });
const country = new Intl.DisplayNames(LOCALE, { type: 'region', fallback: 'code' });

export const formatCount = (value: number) => withMinus(whole.format(value));
export const formatDateTime = (time: string) => dateTime.format(new Date(time));
export const formatDate = (time: string) => date.format(new Date(time));

export function formatCountry(code: string): string {
  try {
    return country.of(code) ?? code;
  } catch {
    return code;
  }
}

export function formatNumber(value: number, digits: number): string {
  const format = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return withMinus(format.format(value));
}

/** A minus as long as the plus, not a hyphen. */
const withMinus = (text: string) => text.replace('-', '−');

/** Very small and very large numbers: `2.4 × 10⁻⁹`, `10⁻⁹` for a power itself, and `2.4` where no power is needed. */
export function formatScientific(value: number): string {
  if (value === 0) return '0';
  const [digits = '', power = ''] = value.toExponential(1).split('e');
  if (power === '+0' && digits !== '1.0') return withMinus(digits);
  const raised = [...power.replace('+', '')].map((sign) => SUPERSCRIPT[sign] ?? sign).join('');
  return digits === '1.0' ? `10${raised}` : `${withMinus(digits)} × 10${raised}`;
}
const SUPERSCRIPT: Record<string, string> = Object.fromEntries([...'-0123456789'].map((sign, index) => [sign, [...'⁻⁰¹²³⁴⁵⁶⁷⁸⁹'][index] ?? '']));

/** Decimal units, as disks are sold and DICOM archives are planned. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${formatNumber(value, unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${formatNumber(milliseconds / 1000, 1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

/** The start of a digest or key, enough to compare by eye. */
export const formatDigest = (hex: string) => hex.slice(0, 16).replace(/(.{4})(?=.)/g, '$1 ');
