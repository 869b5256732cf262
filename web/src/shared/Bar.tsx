// Amounts as parts of one length, with their words below; the words alone say everything too.
import { display, type Minor } from "./money";

export type Part = { key: string; label: string; amount: Minor; look: "solid" | "striped" | "dotted" | "pale"; more?: string };

// Only for the picture: thousandths of the whole. Anything above nothing is seen.
function share(amount: bigint, whole: bigint): number {
  if (whole === 0n || amount === 0n) return 0;
  return Math.max(8, Number((amount * 1000n) / whole));
}

export function Bar({ parts, asset, label, legend = true }: { parts: readonly Part[]; asset: string; label?: string; legend?: boolean }) {
  const whole = parts.reduce((sum, part) => sum + part.amount, 0n);
  const said = label ?? parts.map((part) => `${part.label} ${display(part.amount, asset)}`).join(", ");
  return (
    <>
      <div className="bar" role="img" aria-label={said}>
        {parts.filter((part) => part.amount > 0n).map((part) => (
          <span key={part.key} className={`bar-part ${part.look}`} style={{ flexGrow: share(part.amount, whole) }} />
        ))}
      </div>
      {legend && (
        <ul className="legend">
          {parts.map((part) => (
            <li key={part.key}>
              <span className={`swatch ${part.look}`} aria-hidden />
              {part.label} <strong className="money">{display(part.amount, asset)}</strong>
              {part.more !== undefined && <span className="reason"> ({part.more})</span>}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
