import { type RefObject, useEffect, useRef, useSyncExternalStore } from 'react';
import UPlot from 'uplot';
import { formatRate } from '../../format.ts';
import { formatAxisMoments, type Line, type Span } from './chart-words.ts';

const HEIGHT_PX = 150;
const SCHEME = 'data-mantine-color-scheme';

interface PlotOptions {
  at: number[];
  span: Span;
  lines: readonly Line[];
  /** The index of the point under the pointer. */
  onPoint: (index: number | undefined) => void;
  /** Somebody clicked between two moments, in seconds. */
  onOpen: (since: number, until: number) => void;
}

/** Draws into the element whose reference it answers; anew where the colours change, else only what is new. */
export function usePlot({ at, span, lines, onPoint, onOpen }: PlotOptions): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(null);
  const latest = useRef({ at, span, lines, onPoint, onOpen });
  latest.current = { at, span, lines, onPoint, onOpen };
  const scheme = useSyncExternalStore(followScheme, readScheme);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another scheme has other colours.
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const drawn = new UPlot(optionsOf(element, latest), dataOf(latest.current), element);
    plot.current = drawn;
    const open = (): void => {
      const { cursor } = drawn;
      const since = latest.current.at[cursor.idx ?? -1];
      if (since !== undefined) latest.current.onOpen(since, since + latest.current.span.bucketS);
    };
    drawn.over.addEventListener('click', open);
    const watch = new ResizeObserver(([entry]) => {
      if (entry) drawn.setSize({ width: Math.floor(entry.contentRect.width), height: HEIGHT_PX });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      drawn.destroy();
    };
  }, [scheme]);

  useEffect(() => {
    plot.current?.setData(dataOf({ at, lines }));
  }, [at, lines]);
  return place;
}

function dataOf({ at, lines }: Pick<PlotOptions, 'at' | 'lines'>): UPlot.AlignedData {
  return [at, ...lines.map(({ values }) => values)];
}

function optionsOf(element: HTMLElement, latest: RefObject<PlotOptions>): UPlot.Options {
  const style = getComputedStyle(element);
  const colourOf = (variable: string): string => style.getPropertyValue(variable).trim();
  const axis: UPlot.Axis = {
    stroke: colourOf('--page-faint'),
    grid: { stroke: colourOf('--page-line'), width: 1 },
    ticks: { show: false },
    font: `11px ${style.fontFamily}`,
  };
  return {
    width: Math.floor(element.clientWidth),
    height: HEIGHT_PX,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false } },
    scales: {
      x: { range: () => [latest.current.span.since, latest.current.span.until] },
      y: { range: { min: { hard: 0, soft: 0, pad: 0, mode: 1 }, max: { pad: 0.1, soft: 0.1, mode: 1 } } },
    },
    axes: [
      { ...axis, size: 22, space: 64, values: (_plot, moments, _axis, _space, apartS) => formatAxisMoments(moments, apartS) },
      { ...axis, size: 44, space: 28, values: (_plot, values) => values.map(formatRate) },
    ],
    series: [{}, ...latest.current.lines.map(({ name, colour }, index) => seriesOf(name, colourOf(colour), index))],
    hooks: { setCursor: [({ cursor }) => latest.current.onPoint(cursor.idx ?? undefined)] },
  };
}

/** The first is solid on a light ground, the others are dashed: colour is not all that tells them apart. */
function seriesOf(label: string, colour: string, index: number): UPlot.Series {
  const line: UPlot.Series = { label, stroke: colour, width: 1.5, points: { show: false } };
  return index === 0 ? { ...line, fill: `${colour}1f` } : { ...line, dash: [5, 3] };
}

function followScheme(onChange: () => void): () => void {
  const watch = new MutationObserver(onChange);
  watch.observe(document.documentElement, { attributeFilter: [SCHEME] });
  return () => watch.disconnect();
}

function readScheme(): string | null {
  return document.documentElement.getAttribute(SCHEME);
}
