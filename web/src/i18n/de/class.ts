import type en from '../en/class'
import type { Said } from '../index'

export default {
  'device.menu': 'Auf einem anderen Gerät weitermachen',
  'device.title': 'Auf einem anderen Gerät weitermachen',
  'device.lead': 'Öffne dort diese Adresse. Sie meldet dich einmal an; gib sie nicht weiter.',
  'device.left': 'Gilt noch {time}',

  'class.state.open': 'Offen',
  'class.state.upcoming': 'Demnächst',
  'class.state.closed': 'Vorbei',
  'class.morning': 'Guten Morgen, {name}',
  'class.afternoon': 'Guten Tag, {name}',
  'class.evening': 'Guten Abend, {name}',
  'class.lead.running': {
    one: 'Ein Lab läuft. Mach weiter, wo du warst.',
    other: '{count} Labs laufen. Mach weiter, wo du warst.',
  },
  'class.lead.open': 'Wähle ein Lab und starte es. Du bekommst eine eigene Maschine.',
  'class.lead.closed': 'Dieser Kurs ist vorbei. Die Anleitungen kannst du weiter lesen.',
  'class.lead.upcoming': 'Dieser Kurs hat noch nicht begonnen. Du kannst schon lesen.',
  'class.labs': 'Labs',
  'class.hands_on': 'Praxis',
  'class.no_labs': 'Dieser Kurs hat noch keine Labs.',
  'class.trainer': 'Kursleitung',
  'class.teaches': 'unterrichtet {title}',
  'class.open_now': 'Jetzt offen',
  'class.closed': 'Kurs vorbei',
  'class.opens_at': 'Beginnt {when}',
  'class.closes_at': 'Offen bis {when}',

  'hero.next': 'Als Nächstes',
  'hero.running.more': '· mach weiter, wo du warst',
  'hero.resume': 'Weitermachen',
  'hero.lab': 'Lab {number} · {time}',
} satisfies Said<typeof en>
