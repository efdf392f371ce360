/** A class on the board, for tests: students who are somewhere, and the page in front of them. */
import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { defineComponent, h, type Component } from 'vue'
import { createMemoryHistory, createRouter, RouterView, type Router } from 'vue-router'
import { newQueryClient } from '@/api/queries'
import type { Board, BoardLab, BoardStudent, ClassSetup, Need } from '@/api/types'
import { serve, type Asked, type Routes } from '../pages/server'

export const MINUTE = 60_000
export const NOW = Date.now()

export function box(over: Partial<BoardLab> = {}): BoardLab {
  return {
    phase: 'ready', step: 2, marks: 'po.', deadline_at: NOW + 30 * MINUTE, input_at: NOW,
    line: 'ls', micros: 20_000, reason: null, ...over,
  }
}
export function student(name: string, view: Partial<BoardLab> = {}, need?: Partial<Need>) {
  const made: BoardStudent = {
    id: name.toLowerCase(), name, joined_at: NOW - MINUTE, lab: 'web', labs: { web: box(view) },
    need: need ? { kind: 'failing', since: NOW - MINUTE, lab: 'web', text: '', ...need } : null,
  }
  return made
}
export function absent(name: string): BoardStudent {
  return { id: null, name, joined_at: null, lab: null, need: null, labs: {} }
}
export function boardOf(students: BoardStudent[]): Board {
  const cost = { so_far_micros: 4_390_000, hour_micros: 3_360_000, budget_micros: 12_000_000 }
  return { students, cost, now: NOW, look_ms: 2_500 }
}
const steps = ['One', 'Two', 'Three'].map((title, at) => ({ id: `s${at + 1}`, title }))
export const WEB = {
  name: 'web', title: 'HTTP by hand', hue: 200, motif: 'web', minutes: 40, steps,
  terminals: ['main'],
}
export function setupOf(over: Partial<ClassSetup> = {}): ClassSetup {
  return {
    id: 'c1', version: 3, title: 'DevOps', welcome: '', instructor: 'Iyer', state: 'open',
    join_code: 'MARI-GOLD', opens_at: NOW - 24.5 * MINUTE, closes_at: NOW + 99 * MINUTE, seats: 30,
    seats_taken: 2, budget_micros: 12_000_000, currency: 'USD', email_required: false,
    roster_only: false, provider: 'digitalocean', spill: [], labs: [WEB], now: NOW, ...over,
  }
}
export const SESSION = {
  user: { id: 't', name: 'Iyer', role: 'instructor' }, classes: [], allowed: ['create_class'],
}

const Blank = defineComponent({ render: () => h('div', 'elsewhere') })
export type Visit = { page: VueWrapper; router: Router; asked: Asked[] }

/** Mount `component` at a place of class c1, in front of these answers. */
export async function show(component: Component, routes: Routes): Promise<Visit> {
  const asked = serve({ 'GET /v1/session': { body: SESSION }, ...routes })
  document.body.innerHTML = '<section id="overlays"></section>'
  const blank = ['home', 'join', 'class', 'lab', 'show', 'setup', 'new-class']
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/here/:classId', name: 'board', component, props: true },
      ...blank.map((name) => ({ path: `/${name}/:classId?`, name, component: Blank })),
    ],
  })
  await router.push('/here/c1')
  const page = mount(RouterView, {
    attachTo: document.body,
    global: { plugins: [router, [VueQueryPlugin, { queryClient: newQueryClient(() => 0) }]] },
  })
  await flushPromises()
  return { page, router, asked }
}
