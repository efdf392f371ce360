import { afterEach, expect, it } from 'vitest'
import { ApiProblem } from '@/api/problem'
import { heard, speak } from '@/i18n'
import { hearing } from '@/i18n/hearing'
import german from '@/i18n/de/server'
import { until } from '../until'

afterEach(() => speak('en'))

it('says a sentence of the server in the other language, with what it fills in', () => {
  const hear = hearing({
    'Try again.': 'Noch einmal.',
    '{} is over.': '{0} ist vorbei.',
    '{} is on lines {} and {}.': 'In {1} und {2} steht {0}.',
    'Line {}: {}': 'Zeile {0}: {1}',
  })
  expect(hear('Try again.')).toBe('Noch einmal.')
  expect(hear('Linux (2.) is over.')).toBe('Linux (2.) ist vorbei.')
  expect(hear('Asha is on lines 2 and 7.')).toBe('In 2 und 7 steht Asha.')
  expect(hear('Line 3: Try again.')).toBe('Zeile 3: Noch einmal.')
  expect(hear('What a lab’s own check says.')).toBe('What a lab’s own check says.')
})

it('takes the sentence with the most words of its own', () => {
  const hear = hearing({ '{} is {}.': 'kurz', '{} is on the list of {}.': 'lang' })
  expect(hear('Asha is on the list of Linux.')).toBe('lang')
})

it('shows a problem in the language on screen, also when that is changed later', async () => {
  const problem = new ApiProblem(404, { title: 'No class has this code.', fix: 'Read on.' })
  expect(problem.title).toBe('No class has this code.')
  await speak('de')
  await until(() => heard('Read on.') !== 'Read on.')
  expect([problem.title, problem.fix]).toEqual(['Kein Kurs hat diesen Code.', 'Lies weiter.'])
  await speak('en')
  await until(() => problem.title === 'No class has this code.')
})

it('fills in German what English fills in', () => {
  expect(german.hear('Ana has no step 9.')).toBe('Ana hat keinen Schritt 9.')
  expect(german.hear('All seats of Linux are taken.')).toBe('Alle Plätze von Linux sind besetzt.')
})
