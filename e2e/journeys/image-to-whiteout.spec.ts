/** From a name to a whiteout: an image is pulled, walked from its manifest to its layers, looked into, run, and a file of it deleted. */
import { ConfigEditor } from '../parts/editor.ts';
import { expect, type LabPage, test } from '../parts/page.ts';

const SIZES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
} as const;

for (const [size, use] of Object.entries(SIZES)) {
  test.describe(size, () => {
    test.use(use);
    const isPhone = size === 'phone';
    /** On a phone one sheet is over the other. */
    const toPictures = async ({ page }: LabPage) => {
      if (isPhone) await page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Picture' }).click();
    };
    const type = async (labPage: LabPage, line: string) => {
      if (isPhone) await labPage.page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Terminal' }).click();
      await labPage.type(line);
      await toPictures(labPage);
    };

    test(`a learner pulls, walks the graph, opens a layer, and sees a deleted file become a whiteout, ${size}`, async ({
      lab,
      labPage,
      page,
    }) => {
      await labPage.open(lab.address);
      await type(labPage, 'docker pull -q layers-demo');

      await test.step('the graph: manifest, config, layers; each with its document and the line that fetches it', async () => {
        const graph = await labPage.show('Image graph');
        const image = graph.getByRole('combobox', { name: 'image' });
        await expect(image.locator('optgroup').first()).toContainText('layers-demo:latest');
        await image.selectOption('layers-demo:latest');
        await expect(graph.getByRole('status')).toContainText('8 layers');
        await graph.getByRole('button', { name: /^manifest/ }).click();
        const part = graph.getByRole('region', { name: 'Selected part' });
        await expect(part).toContainText('curl -s -H');
        await part
          .getByRole('button', { name: /^"sha256:/ })
          .first()
          .click();
        await expect(part.getByRole('heading', { name: 'config' })).toBeVisible();
        await expect(part).toContainText('RUN make-step one');
      });

      await test.step('beside another image, what both have is one box', async () => {
        const graph = page.getByRole('region', { name: 'Image graph explorer' });
        await graph.getByRole('combobox', { name: 'beside' }).selectOption('web:latest');
        await expect(graph.getByRole('status')).toContainText('3 of 9 layers are in both');
        await expect(graph.getByRole('button', { name: /in both/ })).toHaveCount(3);
        await graph.getByRole('button', { name: /RUN make-step three/ }).press('ArrowUp');
        await page.keyboard.press('Enter');
        await expect(graph.getByRole('region', { name: 'Selected part' })).toContainText('RUN make-step four');
        await graph.getByRole('region', { name: 'Selected part' }).getByRole('button', { name: 'Look into the layers' }).click();
      });

      const layers = page.getByRole('region', { name: 'Layers explorer' });
      const choose = (option: string) => layers.locator('label').filter({ hasText: option }).click();
      await test.step('its layers: what each does, what is wasted, and a file as one layer has it', async () => {
        await expect(layers.getByRole('status').first()).toContainText('no container can see');
        await layers.getByRole('button', { name: /^image layer 8/ }).click();
        await layers.getByRole('button', { name: 'demo/', exact: false }).click();
        await expect(layers.getByRole('listitem').filter({ hasText: 'removed by a whiteout' })).toContainText('two');
        await choose('Wasted');
        await expect(layers.getByRole('listitem').filter({ hasText: '/demo/two' })).toContainText('deleted in image layer 8');
        await layers.getByRole('searchbox').fill('demo/changed');
        await choose('Files');
        await expect(layers.getByRole('status').last()).toContainText('2 matches');
        await layers.getByRole('button', { name: '/demo/changed' }).first().click();
        await expect(layers.getByRole('region', { name: 'Content of the file' })).toContainText('as the first step left it');
        await layers.getByRole('button', { name: 'Close the file' }).click();
        await layers.getByRole('searchbox').clear();
      });

      await test.step('and against another image', async () => {
        await layers.getByRole('combobox', { name: 'compare with' }).selectOption('busybox:latest');
        await choose('Difference');
        await expect(layers.getByRole('status').last()).toContainText('the lowest 3 layers they share');
        await expect(layers.getByRole('listitem').filter({ hasText: '/demo/five' })).toContainText('removed');
      });

      await test.step('in a running container a deleted file becomes a whiteout', async () => {
        await type(labPage, 'docker run -d --name demo layers-demo sleep 300');
        await choose('Container');
        await layers.getByRole('button', { name: 'Files, layer by layer' }).click();
        const browser = layers.getByRole('region', { name: 'Files, layer by layer' });
        await browser.getByRole('button', { name: 'demo/', exact: true }).click();
        const five = browser.getByRole('listitem').filter({ hasText: /^five/ });
        await expect(five).toContainText('image layer 8');
        await type(labPage, 'docker exec demo rm /demo/five');
        await expect(five).toContainText('deleted by a whiteout in the writable layer; still in image layer 8');
        await expect(layers.getByRole('button', { name: '/demo/five whiteout' })).toBeVisible();
      });

      if (isPhone) return;
      await test.step('an image that goes, and an engine that goes and comes again, are told; what was known stays in sight', async () => {
        const graph = await labPage.show('Image graph');
        await type(labPage, 'docker tag layers-demo doomed');
        await graph.getByRole('combobox', { name: 'image', exact: true }).selectOption('doomed:latest');
        await expect(graph.getByRole('status')).toHaveText(/8 layers/);
        await type(labPage, 'docker rmi doomed');
        await expect(graph.getByText(/^This is how it was\. Neither the engine nor .* "doomed:latest"/)).toBeVisible();
        await graph.getByRole('combobox', { name: 'image', exact: true }).selectOption('layers-demo:latest');
        await expect(graph.getByText(/^This is how it was/)).toHaveCount(0);
        // The engine's command line, and nothing else's, has this; the bracket keeps pkill from finding itself.
        await type(labPage, "pkill -9 -f '[d]ocker-socket /run/docker.sock'");
        const note = graph.getByText(/^This is how it was\. The engine does not answer\./);
        await expect(note).toContainText('asked again every few seconds');
        await expect(graph.getByRole('button', { name: /^manifest/ }).first()).toBeVisible();
        // Opened meanwhile, the editor waits as well, and then has its document.
        await new ConfigEditor(page).open();
        await page.getByRole('button', { name: 'Lab', exact: true }).click();
        await expect(note).toHaveCount(0, { timeout: 30_000 });
        await graph.getByRole('button', { name: 'Look again' }).click();
        await expect(graph.getByRole('status')).toHaveText(/8 layers/);
      });
    });
  });
}
