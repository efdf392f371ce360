import type en from '../en/join'
import type { Said } from '../message'

export default {
  'join.about': 'Über Brihaspati',
  'join.slogan.one': 'Starten.',
  'join.slogan.two': 'Selber machen.',
  'join.slogan.more':
    'Eine echte Maschine, Schritt für Schritt angeleitet, mit jemandem, der sieht, wo du stehst. ' +
    'Alles in einem Browser-Tab.',
  'join.demo.prompt': 'asha@lab:~$',
  'join.demo.command': 'curl localhost:8080',
  'join.demo.answer': 'Hello from your own machine.',
  'join.demo.passed': 'Schritt 3 geschafft',
  'join.demo.why': 'Dein Server antwortet',
  'join.title': 'Am Kurs teilnehmen',
  'join.lead': 'Gib den Code ein, den du bekommen hast. Ein Konto brauchst du nicht.',
  'join.code': 'Kurscode',
  'join.code.short': 'Ein Kurscode hat acht Buchstaben.',
  'join.code.example': 'Er sieht aus wie MARI-GOLD.',
  'join.name': 'Dein Name',
  'join.name.empty': 'Gib den Namen ein, unter dem man dich im Kurs kennt.',
  'join.email': 'Deine E-Mail-Adresse',
  'join.email.why': 'Dieser Kurs verlangt sie. Nur die Kursleitung bekommt sie.',
  'join.email.empty': 'Dieser Kurs verlangt eine E-Mail-Adresse.',
  'join.join': 'Teilnehmen',
  'join.joining': 'Du kommst gleich rein',
  'join.full': 'Alle Plätze sind besetzt',
  'join.students_here': { one: '{count} Person ist da', other: '{count} sind schon da' },
  'join.continue_as': 'Weiter als {name}',
  'join.teaching': 'Du unterrichtest heute?',
  'join.teaching.link': 'Zu deinen Kursen',

  'sign_in.title': 'Mit einem Link anmelden',
  'sign_in.busy': 'Du wirst angemeldet',
  'sign_in.wait': 'Einen Moment.',
  'sign_in.how':
    'Wer unterrichtet, meldet sich mit einem Einmal-Link an. ' +
    'Wer Brihaspati betreibt, druckt ihn so:',
  'sign_in.command': 'brihaspati sign-in',
  'sign_in.once': 'Jeder Link gilt einmal und nur wenige Minuten.',

  'home.none': 'Du nimmst noch an keinem Kurs teil.',
  'home.join': 'An einem Kurs teilnehmen',
  'home.none.text': 'Gib den Code ein, den du bekommen hast, und du bist dabei.',
  'home.lead': 'Wähle einen Kurs oder nimm mit einem Code an einem anderen teil.',
  'home.board': 'Live-Übersicht',
} satisfies Said<typeof en>
