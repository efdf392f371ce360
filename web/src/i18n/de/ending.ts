import type en from '../en/ending'
import type { Said } from '../message'

/** Of what comes at the end of a lab or of its guide, and is loaded then. */
export default {
  'finish.title': 'Geschafft!',
  'finish.title.open': 'Das Ende der Anleitung',
  'finish.lead': '„{title}“ ist fertig, jeder Schritt davon.',
  'finish.lead.open': 'Einige Schritte sind noch offen. Du kannst jederzeit zu ihnen zurück.',
  'finish.figures': 'So lief es',
  'finish.of': '{done}/{of}',
  'finish.steps': 'Schritte bestanden',
  'finish.hints': { one: 'Hinweis genutzt', other: 'Hinweise genutzt' },
  'finish.solved': 'für dich gelöst',
  'finish.open': 'Noch offen',
  'finish.class': 'Zurück zur Klasse',
  'finish.running': 'Deine Maschine läuft noch. Beende sie, wenn du dich umgesehen hast.',
  'expiry.left': 'Noch {time}',
  'expiry.extend': 'Dann werden das Lab und seine Dateien gelöscht. Länger?',
  'expiry.last': 'Dann werden das Lab und seine Dateien gelöscht. Kopiere heraus, was du brauchst.',
  'expiry.idle': 'Länger hat niemand getippt. Dann werden das Lab und seine Dateien gelöscht.',
  'expiry.here': 'Ich bin da',
} satisfies Said<typeof en>
