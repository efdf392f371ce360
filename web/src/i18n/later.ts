import { defineAsyncComponent, type Component } from 'vue'
import { need, type Area } from '.'

/** A part of a page that comes when it is shown, and brings words of its own. */
export function withWords<Part extends Component>(
  load: () => Promise<{ default: Part }>,
  ...areas: Area[]
): Part {
  return defineAsyncComponent<Part>(async () => {
    const [part] = await Promise.all([load(), need(...areas)])
    return part.default
  })
}
