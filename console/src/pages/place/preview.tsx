import { Button, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { OrderContent } from '#domain/order.ts';
import { formatJson } from '../../format.ts';
import { copyText } from '../../parts/copy.tsx';
import { curlOf } from './curl.ts';
import classes from './place.module.css';
import type { Place } from './use-place.ts';

/** More of it is not drawn: it is what one has typed oneself. */
const MAX_SHOWN = 8_000;

/** The request as it goes out, to read and to take along. */
export function Preview({ place: { content, isSound, keyOf } }: { place: Place }): ReactNode {
  return (
    <section className={`panel ${classes['preview']}`} aria-labelledby="place-preview">
      <Group justify="space-between" gap="xs">
        <Title order={2} id="place-preview">
          What will be sent
        </Title>
        {isSound ? <CopyCurl content={content} keyOf={keyOf} /> : null}
      </Group>
      {isSound ? null : <Text className="faint">As soon as what is marked is mended; until then without it.</Text>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long body is scrolled with the keyboard too. */}
      <section className={classes['body']} tabIndex={0} aria-label="The request">
        <pre className="mono foreign">{clip(`POST /orders\n\n${formatJson(content)}`)}</pre>
      </section>
    </section>
  );
}

function clip(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}\n…` : text;
}

/** The command has the key that the button below would send: run both, and there is one order. */
function CopyCurl({ content, keyOf }: { content: OrderContent; keyOf: (content: OrderContent) => string }): ReactNode {
  const [copied, setCopied] = useState<OrderContent>();
  const copy = async (): Promise<void> => {
    await copyText(curlOf(location.origin, content, keyOf(content)));
    setCopied(content);
  };
  return (
    <Button variant="default" onClick={() => void copy()}>
      <span role="status">{copied === content ? 'Copied' : 'Copy as curl'}</span>
    </Button>
  );
}
