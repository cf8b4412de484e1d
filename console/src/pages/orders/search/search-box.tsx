import { CloseButton, TextInput } from '@mantine/core';
import IconSearch from '@tabler/icons-react/dist/esm/icons/IconSearch.mjs';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { type Suggestion, suggest, type Vocabulary } from '../query/completion.ts';
import { canonicalSearch, type ParsedQuery } from '../query/query.ts';
import { Faults } from './faults.tsx';
import classes from './search.module.css';
import { Suggestions } from './suggestions.tsx';
import { useVocabulary } from './vocabulary.ts';

interface SearchBoxProps {
  /** The search as the URL has it, and what it says. */
  search: string;
  parsed: ParsedQuery;
  onSearch: (text: string) => void;
}

/** One box for everything that orders are found by; what one may mean is offered while one types. */
export function SearchBox({ search, parsed, onSearch }: SearchBoxProps): ReactNode {
  const id = useId();
  const [vocabulary, lookAround] = useVocabulary(parsed.query);
  const box = useBox(search, vocabulary, onSearch);
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers do not all know the element search.
    <form
      role="search"
      className={classes['form']}
      onSubmit={(event) => {
        event.preventDefault();
        box.submit(box.text);
      }}
    >
      <TextInput
        ref={box.input}
        value={box.text}
        onChange={({ currentTarget }) => box.type(currentTarget.value, currentTarget.selectionStart)}
        onSelect={({ currentTarget }) => box.place(currentTarget.selectionStart)}
        onKeyDown={box.onKeyDown}
        onFocus={() => {
          lookAround();
          box.open();
        }}
        onBlur={box.close}
        aria-label="Search orders"
        placeholder="An id, a customer, or status:failed region:HN since:1h"
        leftSection={<IconSearch size={15} aria-hidden />}
        rightSection={box.text === '' ? null : <CloseButton size="sm" aria-label="Clear the search" onClick={() => box.submit('')} />}
        classNames={{ input: classes['input'] }}
        enterKeyHint="search"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={2_000}
        data-search
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={box.offered.length > 0}
        aria-controls={`${id}-offers`}
        aria-activedescendant={box.active < 0 ? undefined : `${id}-${box.active}`}
        aria-invalid={parsed.faults.length > 0}
        aria-describedby={`${id}-faults`}
      />
      <Suggestions id={id} offered={box.offered} active={box.active} onTake={box.take} />
      <Faults id={`${id}-faults`} faults={parsed.faults} />
    </form>
  );
}

function useBox(search: string, vocabulary: Vocabulary, onSearch: (text: string) => void) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(search);
  const [caret, setCaret] = useState(search.length);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const offered = useMemo(() => (isOpen ? suggest(text, caret, vocabulary) : []), [isOpen, text, caret, vocabulary]);
  // What leads elsewhere is shown; what only says the same in other words stays as it was typed.
  useEffect(() => setText((before) => (canonicalSearch(before) === canonicalSearch(search) ? before : search)), [search]);
  const goesTo = useRef<number>(undefined);
  useLayoutEffect(() => {
    if (goesTo.current !== undefined) input.current?.setSelectionRange(goesTo.current, goesTo.current);
    goesTo.current = undefined;
  });
  const show = (isShown: boolean): void => {
    setOpen(isShown);
    setActive(-1);
  };
  const type = (typed: string, at: number | null): void => {
    setText(typed);
    setCaret(at ?? typed.length);
    show(true);
  };
  const submit = (whole: string): void => {
    setText(whole);
    show(false);
    onSearch(whole);
  };
  const take = (one: Suggestion): void => {
    type(one.text, one.caret);
    // A part that is whole is looked for at once; a name waits for its value.
    if (one.text[one.caret - 1] === ' ') submit(one.text);
    goesTo.current = one.caret;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const chosen = offered[active];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!isOpen) show(true);
      else setActive(step(active, event.key === 'ArrowDown' ? 1 : -1, offered.length));
    } else if ((event.key === 'Enter' || event.key === 'Tab') && chosen) {
      event.preventDefault();
      take(chosen);
    } else if (event.key === 'Escape') {
      if (offered.length > 0) show(false);
      else input.current?.blur();
    }
  };
  const place = (at: number | null): void => setCaret(at ?? text.length);
  return { input, text, offered, active, type, place, submit, take, onKeyDown, open: () => show(true), close: () => show(false) };
}

/** From one offer to the next; before the first and after the last none is chosen. */
function step(active: number, by: number, count: number): number {
  const next = active + by;
  if (next < -1) return count - 1;
  return next >= count ? -1 : next;
}
