import type { Component } from 'vue'

/**
 * An entry of a menu. `line` draws a line above it; `checked` makes it a switch; with `stay` the
 * menu stays open for the next press.
 */
export type MenuItem = {
  label: string
  icon?: Component
  danger?: boolean
  disabled?: boolean
  checked?: boolean
  line?: boolean
  stay?: boolean
  act: () => void
}
