import { describe, expect, it } from 'vitest';
import { sayMatching, whyNot, whyNotThese } from './bulk.ts';

describe('an action on all that match', () => {
  it('is never on all orders there are', () => {
    expect(whyNot('cancel', {})).toMatch(/Search for something first/);
  });

  it('is possible where its orders can be among those that match', () => {
    expect(whyNot('cancel', { region: 'HN' })).toBeUndefined();
    expect(whyNot('cancel', { status: 'queued' })).toBeUndefined();
    expect(whyNot('retry', { status: 'failed' })).toBeUndefined();
    expect(whyNotThese('retry', ['completed', 'failed'])).toBeUndefined();
  });

  it('says why it is not', () => {
    expect(whyNot('cancel', { status: 'failed' })).toMatch(/^Only orders that are queued.* the search is for others$/);
    expect(whyNot('retry', { status: 'processing' })).toMatch(/^Only failed and cancelled/);
    expect(whyNot('retry', { step: 'Processing' })).toMatch(/by their step$/);
    expect(whyNotThese('cancel', ['completed'])).toMatch(/none of the selected ones/);
  });
});

describe('how many match', () => {
  it('is not said more exactly than it is known', () => {
    expect(sayMatching({ matching: 1, matching_is_lower_bound: false })).toBe('1 order');
    expect(sayMatching({ matching: 312, matching_is_lower_bound: false })).toBe('312 orders');
    expect(sayMatching({ matching: 10_000, matching_is_lower_bound: true })).toBe('at least 10,000 orders');
  });
});
