/**
 * Which modules share a file. Files that always come together pack better as one than in the
 * pieces that come by themselves, and name each other in fewer words; so the small parts of many
 * pages are gathered here by who loads them. What is in a group comes with all of it.
 */

/** Vue and the router: every page has them. */
const BASE = /node_modules\/(@vue\/|vue\/|vue-router\/)/
/** Nothing in here may import what stays in the entry: the two would wait for each other. */
const PARTS = any(
  'plugin-vue:export-helper|vite/preload-helper|rolldown/runtime|src/i18n/(index|figures)\\.',
  'src/api/(calls|client|early|patience|problem|returning|typed|weather)\\.',
  'src/art/(Brand|Night|Planet|icon\\.ts|planet\\.svg)',
  'src/(announce|chance|clock|keep|theme|title|toast|turn)\\.',
  'src/components/((App|Icon|Theme)Button|FieldNote|LanguageSelect|PersonBadge)',
  'src/components/(ProblemNote|StateChip|WeatherLine)',
  'icons/(arrow-right|check|chevron-right|cloud-off|graduation-cap|languages)\\.mjs',
  'icons/(loader-circle|moon|sun|triangle-alert)\\.mjs',
)
/** What the pages behind the door share: questions to the API, menus, the icons most have. */
const INSIDE = any(
  '@tanstack/|src/api/(lookout|queries|standing)\\.|src/paint\\.',
  'src/components/(AppMenu|PageProblem)',
  'icons/(hand|hourglass|megaphone|play|plus|rotate-ccw|square|x)\\.mjs',
)
/** The bar above every page but the lab, and what stands under it on most of them. */
const FRAME = any(
  'src/components/(AppHeader|ClassSwitch|EmptyState|MeterBar|PersonMenu|SegmentBar)',
  'src/pages/board/money\\.',
  'icons/(calendar-clock|chevrons-up-down|circle-dashed|door-closed)\\.mjs',
  'icons/(layout-grid|log-out|monitor-smartphone|radio|telescope)\\.mjs',
)
/** What the lab page has in common with what is opened over it. */
const TOOLS = any(
  'src/components/ChoiceField|src/workspace/preferences|fontsource-variable/jetbrains-mono',
  'src/terminal/(ahead|directly)\\.',
  'icons/(arrow-left|circle-check|copy|keyboard|lightbulb|list-checks|pencil)\\.mjs',
  'icons/(ellipsis-vertical|eye|square-terminal|timer)\\.mjs',
)
/** How labs are shown outside of a lab. */
const CARDS = /src\/art\/Lab|src\/components\/RingMeter|icons\/(clock|trash)\.mjs/
const TERMINAL = /@xterm\/(xterm|addon-fit|addon-web-links)|src\/terminal\/(?!line|ahead|directly)/
/** What most dialogs and drawers are made of. */
const OVER = /node_modules\/(reka-ui|@vueuse)\/|src\/components\/App(Dialog|Drawer)/

function any(...patterns: string[]): RegExp {
  return new RegExp(patterns.join('|'))
}

/** What it imports is not drawn in: a group would carry half of Reka then. */
const alone = (name: string, test: RegExp) => ({
  name,
  test,
  includeDependenciesRecursively: false,
})

export const groups = [
  alone('base', BASE),
  alone('parts', PARTS),
  alone('inside', INSIDE),
  alone('frame', FRAME),
  alone('tools', TOOLS),
  alone('cards', CARDS),
  alone('terminal', TERMINAL),
  { ...alone('over', OVER), minShareCount: 3 },
]

/** Loaded before anything else asks for it. */
const THERE = /\/(base|parts)-|\/inside-.*js$/

/** Which files a dynamic import brings along. A page's own come by the script in index.html. */
export function along(files: readonly string[], host: string): string[] {
  return host.includes('/index-') ? [] : files.filter((file) => !THERE.test(file))
}
