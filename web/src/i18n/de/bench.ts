import type en from '../en/bench'
import type { Said } from '../index'

export default {
  'bench.tabs': 'Terminals und Webseiten',
  'bench.alone': 'Anleitung ausblenden',
  'bench.guide_too': 'Anleitung einblenden',
  'phone.panes': 'Ansichten',
  'phone.lab': 'Lab',
  'terminal.label': 'Terminal {name}',
  'preview.label': 'Webseite des Labs: {title}',
  'preview.reload': 'Neu laden',
  'preview.tab': 'In neuem Tab öffnen',
  'preview.opening': 'Öffnet',
  'key.bar': 'Zusätzliche Tasten',
  'key.esc': 'Escape',
  'key.tab': 'Tabulator',
  'key.interrupt': 'Abbrechen (Strg C)',
  'key.left': 'Links',
  'key.down': 'Runter',
  'key.up': 'Hoch',
  'key.right': 'Rechts',
  'key.paste': 'Einfügen',
  'key.pipe': 'Senkrechter Strich',
  'key.slash': 'Schrägstrich',
  'key.dash': 'Minus',
  'key.tilde': 'Tilde',
} satisfies Said<typeof en>
