import { describe, expect, it } from 'vitest';
import type { Suite } from './store-conformance.ts';
import { ORDER_WORKFLOW } from './support.ts';

export function describeRegister(suite: Suite): void {
  describe('registerWorkflows', () => {
    it('may be said again, by anyone', async () => {
      await suite.store.registerWorkflows([ORDER_WORKFLOW]);
      await suite.second.registerWorkflows([ORDER_WORKFLOW, { ...ORDER_WORKFLOW, version: 7 }]);
      await Promise.all([suite.store, suite.second].map((store) => store.registerWorkflows([{ ...ORDER_WORKFLOW, version: 8 }])));
    });

    it.each([
      ['another name', ['Scheduling', 'Pre-Processing', 'Processing', 'Shipping']],
      ['another order', ['Pre-Processing', 'Scheduling', 'Processing', 'Post-Processing']],
      ['a step more', [...ORDER_WORKFLOW.stepNames, 'Shipping']],
      ['a step less', ORDER_WORKFLOW.stepNames.slice(0, 3)],
    ])('refuses a version whose steps changed: %s', async (_what, stepNames) => {
      const changed = suite.second.registerWorkflows([{ ...ORDER_WORKFLOW, stepNames }]);
      await expect(changed).rejects.toThrow(/workflow order version 1 has the steps .*give the changed workflow a new version/);
      await suite.store.registerWorkflows([ORDER_WORKFLOW]);
    });

    it('the store knows its warehouse', () => {
      expect(suite.store.warehouse.name).toBe('HCM');
      expect(suite.second.warehouse).toEqual(suite.store.warehouse);
    });
  });
}
