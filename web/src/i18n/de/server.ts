import { hearing } from '../hearing'

/** A test finds sentences of the server that are not here, and those it does not say any more. */
export default {
  hear: hearing({
    // Joining and classes
    'No class has this code.': 'Kein Kurs hat diesen Code.',
    'Compare it with the code your trainer shows, letter by letter.':
      'Vergleiche ihn Buchstabe für Buchstabe mit dem Code, der gezeigt wird.',
    'A class code has {} letters.': 'Ein Kurscode hat {0} Buchstaben.',
    'Type the code as your trainer shows it, for example MARI-GOLD.':
      'Gib den Code so ein, wie er gezeigt wird, zum Beispiel MARI-GOLD.',
    'The name is empty.': 'Der Name fehlt.',
    'Type the name your trainer knows you by.':
      'Gib den Namen ein, unter dem man dich im Kurs kennt.',
    'The name has {} characters; the most is {}.':
      'Der Name hat {0} Zeichen; möglich sind {1}.',
    'Use a shorter form of your name.': 'Nimm eine kürzere Form deines Namens.',
    'The name has invisible characters.': 'Der Name enthält unsichtbare Zeichen.',
    'Type it again instead of pasting it.': 'Tippe ihn neu, statt ihn einzufügen.',
    'This class asks for an email address.': 'Dieser Kurs verlangt eine E-Mail-Adresse.',
    'That is no email address.': 'Das ist keine E-Mail-Adresse.',
    'Type your address, for example asha@example.org.':
      'Gib deine Adresse ein, zum Beispiel asha@example.org.',
    'All seats of {} are taken.': 'Alle Plätze von {0} sind besetzt.',
    'Ask your trainer for another seat.': 'Bitte deine Kursleitung um einen weiteren Platz.',
    'Someone called {} is already in this class.': '{0} gibt es in diesem Kurs schon.',
    "If it is you, open 'Continue on another device' there; if not, add your last name.":
      'Bist du es, öffne dort „Auf einem anderen Gerät weitermachen“; ' +
      'wenn nicht, gib auch deinen Nachnamen an.',
    '{} is not on the list of {}.': '{0} steht nicht auf der Liste von {1}.',
    'Type your name as your trainer has it, or ask to be put on the list.':
      'Gib deinen Namen so ein, wie er auf der Liste steht, oder lass dich eintragen.',
    '{} is over.': '{0} ist vorbei.',
    '{} is not open.': '{0} ist nicht geöffnet.',
    'Ask for the next class.': 'Frag nach dem nächsten Kurs.',
    'Look at the class page for its hours.': 'Die Zeiten stehen auf der Kursseite.',
    'Too many are joining at once.': 'Gerade wollen zu viele auf einmal teilnehmen.',
    'Press Join again.': 'Drück noch einmal auf Teilnehmen.',
    'There is no such class.': 'Diesen Kurs gibt es nicht.',
    'Look at your classes.': 'Sieh in deinen Kursen nach.',
    'The class page shows its labs.': 'Die Labs stehen auf der Kursseite.',
    'See the class page.': 'Sieh auf der Kursseite nach.',
    'The class {} has no lab called {}.': 'Der Kurs {0} hat kein Lab namens {1}.',
    'This class has no lab called {}.': 'Dieser Kurs hat kein Lab namens {0}.',
    'The lab {} is not published here.': 'Das Lab {0} ist hier nicht veröffentlicht.',
    'You are not signed in.': 'Du bist nicht angemeldet.',
    'Sign in first.': 'Melde dich zuerst an.',
    'Join with your class code.': 'Nimm mit deinem Kurscode teil.',
    'This person is not known here any more.': 'Diese Person ist hier nicht mehr bekannt.',
    'This link has been used or is too old.': 'Dieser Link ist verbraucht oder zu alt.',
    'Ask for a new one; each works once, for 15 minutes.':
      'Lass dir einen neuen geben; jeder gilt einmal, 15 Minuten lang.',
    'You may not do this here.': 'Das darfst du hier nicht.',
    'Ask who teaches the class.': 'Frag die Kursleitung.',
    'Join the class first.': 'Nimm zuerst am Kurs teil.',

    // A lab: starting, running, ending
    'You stopped this lab. Its machine and everything on it were deleted.':
      'Du hast dieses Lab beendet. Seine Maschine und alles darauf wurde gelöscht.',
    'Time was up. The machine and everything on it were deleted.':
      'Die Zeit war um. Die Maschine und alles darauf wurde gelöscht.',
    'Nobody had typed for a while. The machine and everything on it were deleted.':
      'Es wurde eine Weile nichts getippt. Die Maschine und alles darauf wurde gelöscht.',
    'Your trainer ended this lab. The machine was deleted.':
      'Deine Kursleitung hat dieses Lab beendet. Die Maschine wurde gelöscht.',
    'The class is over. The machine and everything on it were deleted.':
      'Der Kurs ist vorbei. Die Maschine und alles darauf wurde gelöscht.',
    'It was kept warm and not needed.': 'Es stand bereit und wurde nicht gebraucht.',
    'The lab took too long to start. Press Play to try again.':
      'Das Lab brauchte zu lange zum Starten. Starte es noch einmal.',
    'The machine stopped unexpectedly. Press Play for a new one.':
      'Die Maschine ist unerwartet ausgefallen. Starte eine neue.',
    'This lab was stopped for safety: somebody tried to pass for its machine. Press Play again.':
      'Dieses Lab wurde zur Sicherheit beendet: Jemand gab sich als seine Maschine aus. ' +
      'Starte es noch einmal.',
    'This lab was stopped, as it looked like something else.':
      'Dieses Lab wurde beendet, weil es nach etwas anderem aussah.',
    "The class's budget does not cover it any more. Tell your trainer; they can raise it.":
      'Das Budget des Kurses reicht dafür nicht mehr. Sag es der Kursleitung; sie kann es erhöhen.',
    'The budget of this class is spent.': 'Das Budget dieses Kurses ist aufgebraucht.',
    'Tell your trainer; they can raise it.': 'Sag es der Kursleitung; sie kann es erhöhen.',
    'The budget of this class does not cover more time.':
      'Das Budget dieses Kurses reicht nicht für mehr Zeit.',
    'The trainer of the class can raise it.': 'Die Kursleitung kann es erhöhen.',
    'Tell your trainer.': 'Sag es der Kursleitung.',
    '{} has no price for this lab: {}': '{0} hat keinen Preis für dieses Lab: {1}',
    'You have {} labs running; this class allows {} at a time.':
      'Bei dir laufen {0} Labs; in diesem Kurs dürfen es {1} zugleich sein.',
    'Stop one of them first.': 'Beende zuerst eines davon.',
    'Your lab is changing right now.': 'An deinem Lab ändert sich gerade etwas.',
    'Press Play again.': 'Starte es noch einmal.',
    'The lab is not running.': 'Das Lab läuft nicht.',
    'This lab has not been started.': 'Dieses Lab wurde nicht gestartet.',
    'Press Play first.': 'Starte es zuerst.',
    'Too many get more time at once.': 'Gerade verlängern zu viele auf einmal.',
    'Try again.': 'Versuch es noch einmal.',
    'Try again in a moment.': 'Versuch es gleich noch einmal.',
    'The lab publishes no port {} on {}.': 'Das Lab zeigt auf {1} keinen Port {0}.',
    'Published: {}.': 'Gezeigt werden: {0}.',

    // Steps
    '{} has no step {}.': '{0} hat keinen Schritt {1}.',
    'Reload the page: the lab may have changed.':
      'Lade die Seite neu: Das Lab hat sich vielleicht geändert.',
    'Reload the page.': 'Lade die Seite neu.',
    'This step has no question {}.': 'Dieser Schritt hat keine Frage {0}.',
    'This step has nothing to check.': 'In diesem Schritt gibt es nichts zu prüfen.',
    'Read on.': 'Lies weiter.',
    'This step has no solution to run.': 'Dieser Schritt hat keine Lösung zum Ausführen.',
    'Do it by hand.': 'Mach es von Hand.',
    'Too much happens in this lab at once.': 'In diesem Lab geschieht zu viel auf einmal.',
    'This is none of the choices.': 'Das steht nicht zur Wahl.',
    'Choose one of those offered.': 'Wähle eine der Antworten.',
    'Only one can be chosen here.': 'Hier lässt sich nur eine wählen.',
    'Choose one.': 'Wähle eine.',
    'The answer is empty.': 'Die Antwort ist leer.',
    'Type an answer.': 'Schreib eine Antwort.',
    'This took too long and was given up. Press again.':
      'Das dauerte zu lange und wurde aufgegeben. Drück noch einmal.',
    'The lab ended while this ran.': 'Das Lab endete, während das lief.',
    'This could not be run because of a fault on our side. Press again.':
      'Das ließ sich wegen eines Fehlers bei uns nicht ausführen. Drück noch einmal.',
    'Not done yet.': 'Noch nicht geschafft.',
    'Not done yet; or this check has a fault, for a program in it is missing.':
      'Noch nicht geschafft; oder diese Prüfung hat einen Fehler, denn ein Programm darin fehlt.',
    'It was stopped before its end; the machine may be out of memory.':
      'Das wurde vor dem Ende abgebrochen; vielleicht hat die Maschine keinen Speicher mehr.',
    'There was no time left to run everything. Press again.':
      'Die Zeit reichte nicht für alles. Drück noch einmal.',
    'The solution ran, but not every check passes yet. Press Check in a moment.':
      'Die Lösung lief, aber noch besteht nicht jede Prüfung. Drück gleich auf Prüfen.',
    'It was not done in time ({} s).': 'Das wurde nicht rechtzeitig fertig ({0} s).',

    // Teaching
    'The title is empty.': 'Der Name fehlt.',
    'Type what the class is about.': 'Schreib, worum es im Kurs geht.',
    'The title has {} characters; the most is {}.':
      'Der Name hat {0} Zeichen; möglich sind {1}.',
    'Say it shorter; there is room for more in the welcome.':
      'Fass dich kürzer; in der Begrüßung ist Platz für mehr.',
    'The class closes before it opens.': 'Der Kurs schließt, bevor er öffnet.',
    'Choose an end that is later than the beginning.':
      'Wähle ein Ende, das nach dem Anfang liegt.',
    'The class closes after the year 2099.': 'Der Kurs schließt nach dem Jahr 2099.',
    'Choose an earlier end.': 'Wähle ein früheres Ende.',
    'The class would be over already.': 'Der Kurs wäre schon vorbei.',
    'Choose an end that is to come.': 'Wähle ein Ende in der Zukunft.',
    'The class has {} labs; it can have 1 to {}.':
      'Der Kurs hat {0} Labs; möglich sind 1 bis {1}.',
    'Choose the labs it is about.': 'Wähle die Labs, um die es geht.',
    'The class has a lab twice.': 'Ein Lab steht zweimal im Kurs.',
    'Choose each lab once.': 'Wähle jedes Lab einmal.',
    'There is no lab called {}.': 'Es gibt kein Lab namens {0}.',
    'Choose from {}.': 'Wähle aus {0}.',
    '{} seats are taken; {} are not enough.': '{0} Plätze sind vergeben; {1} reichen nicht.',
    'Choose {} or more: nobody loses their seat.':
      'Wähle {0} oder mehr: Niemand verliert den Platz.',
    '{} was changed by somebody else.': '{0} wurde inzwischen von jemand anderem geändert.',
    'Look at what it is now, then change it again.':
      'Sieh dir den neuen Stand an und ändere ihn dann noch einmal.',
    'Too many are changing this class at once.': 'Gerade ändern zu viele diesen Kurs.',
    '{} is where the class has its machines anyway.':
      'Bei {0} hat der Kurs seine Maschinen ohnehin.',
    'There is no provider {} to go to.': 'Den Anbieter {0} gibt es hier nicht.',
    'Name each provider once.': 'Nenne jeden Anbieter einmal.',
    '{} is there twice.': '{0} steht zweimal da.',
    'A share of {} percent cannot be.': 'Ein Anteil von {0} Prozent ist nicht möglich.',
    'Choose from 1 to 100.': 'Wähle 1 bis 100.',
    'For that price there is no machine.': 'Zu diesem Preis gibt es keine Maschine.',
    'Choose a price above 0, or none for any price.':
      'Wähle einen Preis über 0, oder keinen für jeden Preis.',
    '{} asks for the image {}, which {} does not have.':
      '{0} verlangt das Abbild {1}, das {2} nicht hat.',
    'Write `image: {}` and install the rest in setup, or use a host of your own.':
      'Schreib `image: {0}` und installiere den Rest im Setup, oder nimm einen eigenen Rechner.',
    '{} has {} machines; a lab on rented ones has one.':
      '{0} hat {1} Maschinen; ein Lab auf gemieteten hat eine.',
    'Put all of it on one machine, or hold the class on a host of your own.':
      'Bring alles auf einer Maschine unter, oder halte den Kurs auf einem eigenen Rechner.',
    'The list has {} people.': 'Auf der Liste stehen {0} Personen.',
    'List at most {}.': 'Möglich sind {0}.',
    '{} is on lines {} and {}.': '{0} steht in den Zeilen {1} und {2}.',
    'Remove one of the two, or add a last name.':
      'Entferne eine der beiden, oder ergänze den Nachnamen.',
    'Line {}: {}': 'Zeile {0}: {1}',
    'The message is empty.': 'Die Nachricht ist leer.',
    'Type what to say.': 'Schreib, was du sagen willst.',
    'The message has {} characters; the most is {}.':
      'Die Nachricht hat {0} Zeichen; möglich sind {1}.',
    'Say it shorter, or in two messages.': 'Fass dich kürzer, oder schreib zwei Nachrichten.',
    '{} of {} labs have more time; the budget covers no more.':
      '{0} von {1} Labs haben mehr Zeit; für mehr reicht das Budget nicht.',
    'Raise the budget of the class, or give less time.':
      'Erhöhe das Budget des Kurses, oder gib weniger Zeit.',
    'Some of these students are not in the class.':
      'Nicht alle, die du gewählt hast, sind im Kurs.',
    'Nobody is chosen.': 'Niemand ist gewählt.',
    'Reload the page, choose again, and send it again.':
      'Lade die Seite neu, wähle noch einmal, und sende es noch einmal.',
    'This student is not in the class.': 'Diese Person ist nicht im Kurs.',
    'There is no such student.': 'Diese Person gibt es nicht.',
    'See the board.': 'Sieh in der Live-Übersicht nach.',
    '{} has no such terminal.': '{0} hat kein solches Terminal.',

    // The service
    'The server is busy.': 'Der Server ist beschäftigt.',
    'Something went wrong on our side.': 'Bei uns ist etwas schiefgegangen.',
    'Try again; if it stays, tell your trainer.':
      'Versuch es noch einmal; hilft das nicht, sag es der Kursleitung.',
    "The server's disk is full.": 'Die Festplatte des Servers ist voll.',
    "Nothing was lost. Free some space on the server's disk, then try again.":
      'Nichts ging verloren. Schaff auf dem Server Platz, und versuch es dann noch einmal.',
    'The service is not set up whole.': 'Der Dienst ist nicht ganz eingerichtet.',
    'Whoever runs it finds in the log what is missing, and how to make it.':
      'Wer ihn betreibt, findet im Protokoll, was fehlt und wie man es anlegt.',
    'There is nothing at this address.': 'An dieser Adresse ist nichts.',
    'Look for a letter in the address that does not belong there.':
      'Such in der Adresse einen Buchstaben, der nicht hineingehört.',
    'The request is too large.': 'Die Anfrage ist zu groß.',
    'Send at most {} B.': 'Sende höchstens {0} B.',
    "Another site's page may not write here.":
      'Die Seite einer anderen Adresse darf hier nicht schreiben.',
    'Pages of {} may not write here.': 'Seiten von {0} dürfen hier nicht schreiben.',
    'Open the portal itself.': 'Öffne das Portal selbst.',
  }),
}
