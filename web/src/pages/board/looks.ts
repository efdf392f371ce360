/** How a student's state looks: icon, word and colour together, never colour alone. */
import {
  Check,
  CircleDashed,
  Hand,
  LoaderCircle,
  Moon,
  Play,
  TriangleAlert,
  Unplug,
} from '@lucide/vue'
import type { Component } from 'vue'
import type { Key } from '@/i18n'
import type { StudentState } from './rows'

type Look = { icon: Component; label: Key; tone: string; filled?: boolean }
export const LOOKS: Record<StudentState, Look> = {
  hand: { icon: Hand, label: 'board.is.hand', tone: 'text-danger' },
  stuck: { icon: TriangleAlert, label: 'board.is.stuck', tone: 'text-danger' },
  broken: { icon: Unplug, label: 'board.is.broken', tone: 'text-danger' },
  idle: { icon: Moon, label: 'board.is.idle', tone: 'text-ink-2' },
  working: { icon: Play, label: 'board.is.working', tone: 'text-info', filled: true },
  starting: { icon: LoaderCircle, label: 'board.is.starting', tone: 'text-info' },
  finished: { icon: Check, label: 'board.is.finished', tone: 'text-ok' },
  away: { icon: CircleDashed, label: 'board.is.away', tone: 'text-ink-3' },
}
