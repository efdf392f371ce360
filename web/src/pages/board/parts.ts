/** All that nobody sees on the board before they press something. */
export { default as BulkBar } from './BulkBar.vue'
export { default as MessageDialog } from './MessageDialog.vue'
export { default as NobodyHere } from './NobodyHere.vue'
export { default as StepMatrix } from './StepMatrix.vue'
export { default as StopManyDialog } from './StopManyDialog.vue'
export { default as UndoBar } from './UndoBar.vue'
export { default as WatchDrawer } from './WatchDrawer.vue'
