import { mount } from '@vue/test-utils'
import { beforeAll, expect, it } from 'vitest'
import { need } from '@/i18n'
import { bodyOf, changeOf, faultsOf, formOf, newForm, type Form } from '@/pages/setup/form'
import SpillField from '@/pages/setup/SpillField.vue'
import { setupOf } from '../board/class'

beforeAll(() => need('teaching', 'preflight'))
const LINODE = { provider: 'linode', share_percent: 40, micros_per_hour_max: 20_000 }
const place = (provider: string) => ({ provider, share: '100', price: '' })
function formWith(spill: Form['spill']): Form {
  return { ...newForm(0), title: 'A class', labs: ['web'], spill }
}

it('shows what a class has and sends back what was typed', () => {
  const setup = setupOf({ spill: [LINODE] })
  const form = formOf(setup)
  expect(form.spill).toEqual([{ provider: 'linode', share: '40', price: '0.02' }])
  expect(changeOf(form, setup).spill).toEqual([LINODE])
  const any = bodyOf(formWith([place('linode')]), 'k', []).spill
  expect(any).toEqual([{ ...LINODE, share_percent: 100, micros_per_hour_max: null }])
})

it.each([['0', ''], ['101', ''], ['half', ''], ['50', '0'], ['50', 'cheap']])(
  'takes no share of %s at a price of "%s"', (share, price) => {
    expect(faultsOf(formWith([{ provider: 'linode', share, price }])).spill).toBe('spill.wrong')
  })

it('adds, orders and drops places', async () => {
  const field = mount(SpillField, {
    props: {
      modelValue: [place('linode')], elsewhere: ['linode', 'digitalocean-ams3'], currency: 'USD',
      tried: false,
      'onUpdate:modelValue': (places: Form['spill']) => field.setProps({ modelValue: places }),
    },
  })
  const press = (words: string) =>
    field.findAll('button').find((one) =>
      (one.attributes('aria-label') ?? one.text()) === words)!.trigger('click')
  const names = () => field.findAll('li p:first-child').map((one) => one.text())
  await press('Also DigitalOcean ams3')
  expect(names()).toEqual(['1. Linode', '2. DigitalOcean ams3'])
  await press('DigitalOcean ams3 earlier')
  expect(names()).toEqual(['1. DigitalOcean ams3', '2. Linode'])
  await press('Without DigitalOcean ams3')
  expect(names()).toEqual(['1. Linode'])
})
