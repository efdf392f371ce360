/** The parts of CodeMirror we use, put together for one file. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { bracketMatching, indentOnInput, indentUnit } from '@codemirror/language'
import {
  Compartment,
  EditorState,
  StateEffect,
  StateField,
  type Extension,
} from '@codemirror/state'
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  type DecorationSet,
} from '@codemirror/view'
import { look } from './look'

export const language = new Compartment()
export const reading = new Compartment()
const searching = new Compartment()
const notYet: Extension = []

export type CodeSays = { edited: () => void; save: () => void }
export type CodeWish = {
  text: string
  label: string
  readOnly: boolean
  fine: boolean
  /** One step of indentation. */
  indent: string
}

export function newState(wish: CodeWish, says: CodeSays): EditorState {
  return EditorState.create({
    doc: wish.text,
    extensions: [
      // A file of Windows keeps its line ends.
      /\r\n/.test(wish.text) && !/[^\r]\n/.test(wish.text)
        ? EditorState.lineSeparator.of('\r\n')
        : [],
      lineNumbers(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      history(),
      indentOnInput(),
      bracketMatching(),
      indentUnit.of(wish.indent),
      EditorState.tabSize.of(4),
      EditorView.lineWrapping,
      wish.fine ? drawSelection() : [], // touch has handles of its own
      EditorView.contentAttributes.of({
        'aria-label': wish.label,
        tabindex: '0', // so that what scrolls is seen to be reachable
        spellcheck: 'false',
        autocapitalize: 'off',
        autocorrect: 'off',
      }),
      EditorView.updateListener.of((update) => update.docChanged && says.edited()),
      reading.of(EditorState.readOnly.of(wish.readOnly)),
      language.of([]),
      searching.of(notYet),
      wished,
      keymap.of([
        { key: 'Mod-s', preventDefault: true, run: () => (says.save(), true) },
        { key: 'Mod-f', preventDefault: true, run: (view) => (void find(view), true) },
        ...defaultKeymap,
        ...historyKeymap,
        indentWithTab, // Escape, then Tab leaves the editor
      ]),
      look,
    ],
  })
}

/** Find and replace come when they are first asked for. */
async function find(view: EditorView): Promise<void> {
  const { openSearchPanel, search, searchKeymap } = await import('@codemirror/search')
  if (searching.get(view.state) === notYet) {
    const effects = searching.reconfigure([search({ top: true }), keymap.of(searchKeymap)])
    view.dispatch({ effects })
  }
  openSearchPanel(view)
}

const mark = StateEffect.define<number | null>()
const band = Decoration.line({ class: 'cm-wished' })
const wished = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects) {
      if (!effect.is(mark)) continue
      return effect.value === null ? Decoration.none : Decoration.set(band.range(effect.value))
    }
    return change.docChanged ? Decoration.none : marks
  },
  provide: (field) => EditorView.decorations.from(field),
})

/** Go to a line (from 1), in the middle of the screen and marked. */
export function goToLine(view: EditorView, number: number): void {
  const { doc } = view.state
  const line = doc.line(Math.min(Math.max(1, number), doc.lines))
  view.dispatch({
    selection: { anchor: line.from },
    effects: [mark.of(line.from), EditorView.scrollIntoView(line.from, { y: 'center' })],
  })
}

/** The text as it is to be saved, with the line ends it came with. */
export function textOf(state: EditorState): string {
  return state.sliceDoc()
}
