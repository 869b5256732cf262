// What a fork proof says, drawn: the lot as a line, the two notes over it, and where they spend the same units.
import type { ForkProof, Source } from "jiaozi-purse";
import { hexOf } from "jiaozi-purse";

import { useText } from "../../shared/i18n";
import { display, minor } from "../../shared/money";

const width = 600;
const left = 8;

type Span = { from: bigint; to: bigint };

const spanOf = (source: Source): Span => ({ from: source.offset, to: source.offset + source.amount });

/** What each note takes of a source that both spend, where they overlap; the source is the lot or a note that was received. */
export function sharedSpans(proof: ForkProof): { lot: boolean; spans: [Span, Span] } | undefined {
  for (const a of proof.notes[0].sources) {
    for (const b of proof.notes[1].sources) {
      const [first, second] = [spanOf(a), spanOf(b)];
      if (hexOf(a.id) === hexOf(b.id) && first.from < second.to && second.from < first.to) return { lot: hexOf(a.id) === hexOf(proof.certificate.id), spans: [first, second] };
    }
  }
  return undefined;
}

export function ForkPicture({ proof }: { proof: ForkProof }) {
  const { t } = useText();
  const { certificate, notes } = proof;
  const money = (amount: bigint) => display(minor(amount.toString()), certificate.asset);
  const lines = notes.map((note, i) => t("fork_note", { n: i + 1, amount: money(note.amount), payee: note.payee, seq: note.seq }));
  const shared = sharedSpans(proof);
  if (!shared) {
    return (
      <>
        <p>{t("fork_number", { seq: notes[0].seq })}</p>
        <ul>{lines.map((line) => <li key={line}>{line}</li>)}</ul>
      </>
    );
  }
  const [a, b] = shared.spans;
  const end = [shared.lot ? certificate.amount : 0n, a.to, b.to].reduce((most, each) => (each > most ? each : most), 1n);
  const x = (unit: bigint) => left + Number((unit * 1000n) / end) * ((width - 2 * left) / 1000);
  const wide = (span: Span) => Math.max(3, x(span.to) - x(span.from));
  const both: Span = { from: a.from > b.from ? a.from : b.from, to: a.to < b.to ? a.to : b.to };
  const lot = { serial: certificate.serial.toString(), amount: money(certificate.amount) };
  const source = shared.lot ? t("fork_lot", lot) : t("fork_received");
  const label = t("fork_picture", { source, a: a.from.toString(), b: a.to.toString(), c: b.from.toString(), d: b.to.toString() });
  return (
    <>
      <p>{t("fork_overlap", { source })}</p>
      <svg className="fork" role="img" aria-label={label} viewBox={`0 0 ${width} 150`} style={{ width: "100%", maxWidth: 720 }}>
        <text x={left} y={16}>{source}</text>
        <rect x={left} y={24} width={x(end) - left} height={10} rx={3} fill="#d6d3d1" />
        <rect x={x(both.from)} y={24} width={wide(both)} height={106} fill="#ffccc7" />
        {[a, b].map((span, i) => (
          <g key={lines[i]}>
            <text x={left} y={58 + 44 * i}>{lines[i]}</text>
            <rect x={x(span.from)} y={64 + 44 * i} width={wide(span)} height={14} rx={3} fill={i === 0 ? "#003a8c" : "#ad6800"} />
          </g>
        ))}
      </svg>
    </>
  );
}
