import type en from '../en/shared'
import type { Said } from '../index'

export default {
  brand: 'Brihaspati',
  skip: 'Zum Inhalt',
  overlays: 'Menüs',
  language: 'Sprache',
  loading: 'Lädt',
  waking: 'Der Dienst wacht auf. Das kann ein paar Sekunden dauern.',
  again: 'Noch einmal',
  close: 'Schließen',
  copy: 'Kopieren',
  copied: 'Kopiert',
  left: 'übrig',
  open: 'Öffnen',
  play: 'Starten',
  play_again: 'Neu starten',
  resume: 'Weiter',
  stop: 'Beenden',
  to_join: 'Mit einem Kurscode teilnehmen',

  'field.left': { one: 'noch {count} Zeichen', other: 'noch {count} Zeichen' },
  'choice.right': 'richtig',
  'choice.wrong': 'falsch',
  'toast.one': 'Hinweis',
  'toast.all': 'Hinweise ({hotkey})',

  'theme.dark': 'Dunkles Design',
  'theme.light': 'Helles Design',

  'time.minutes': '{count} min',
  'time.hours': '{count} h',
  'time.hours_minutes': '{hours} h {minutes} min',

  'problem.unknown': 'Etwas ist schiefgegangen ({status}).',
  'problem.busy.title': 'Der Dienst ist ausgelastet.',
  'problem.busy.fix': 'Meist antwortet er nach wenigen Sekunden wieder.',
  'problem.offline.title': 'Brihaspati antwortet nicht.',
  'problem.offline.fix': 'Prüfe deine Verbindung. Nichts von deiner Arbeit ist verloren.',
  'problem.page.title': 'Diese Seite ist gestolpert.',
  'problem.page.fix': 'Lade sie neu; dein Lab läuft weiter.',

  'person.menu': 'Menü von {name}',
  'person.sign_out': 'Abmelden',

  'state.starting': 'Startet',
  'state.running': 'Läuft',
  'state.stopping': 'Wird gelöscht',
  'state.failed': 'Nicht gestartet',

  'lab.number': 'Lab {number}',
  'lab.steps': { one: '{count} Schritt', other: '{count} Schritte' },
  'lab.machines': { one: '{count} Maschine', other: '{count} Maschinen' },
  'lab.read': 'Anleitung lesen',
  'lab.back': 'Zurück zum Kurs',
  'lab.menu': 'Menü des Labs',
  'lab.split': 'Breite der Anleitung',
  'lab.page_title': '{title} · Brihaspati',

  'stop.of': '{title} beenden',
  'stop.title': '„{title}“ beenden?',
  'stop.title.of': '„{title}“ von {name} beenden?',
  'stop.lead': 'Das Lab wird sofort gelöscht. Das lässt sich nicht rückgängig machen.',
  'stop.files': {
    one: 'Die Maschine und jede Datei darauf',
    other: 'Alle {count} Maschinen und jede Datei darauf',
  },
  'stop.programs': 'Alles, was darin läuft, auch offene Terminals',
  'stop.ports': 'Die Webseiten, die es ausliefert',
  'stop.kept': 'Bleibt: deine Stelle in der Anleitung. Du kannst das Lab von vorn starten.',
  'stop.cancel': 'Weiterlaufen lassen',
  'stop.confirm': 'Beenden und löschen',
  'stop.stopping': 'Wird beendet',

  'not_found.title': 'Im All verirrt',
  'not_found.lead': 'Unter dieser Adresse gibt es keine Seite. Der Link ist alt oder vertippt.',
  'not_found.home': 'Zu deinen Kursen',
} satisfies Said<typeof en>
