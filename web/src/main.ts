import '@fontsource/bricolage-grotesque/700.css'
import '@fontsource-variable/figtree/wght.css'
import './styles/main.css'
import { createApp } from 'vue'
import App from './App.vue'
import { weather } from './api/weather'
import { preferred, speak } from './i18n'
import { keep } from './keep'
import { whenPieceIsLost } from './reloading'
import { newRouter } from './router'
import { startTheme } from './theme'

const store = keep()
startTheme(store)

const app = createApp(App)
const router = newRouter(async () => (await import('./api/asking')).startAsking(app))
app.use(router)

let wanted = ''
router.onError((_error, to) => (wanted = to.fullPath))
whenPieceIsLost(
  {
    answers: () => fetch('/', { cache: 'no-store' }).then(({ ok }) => ok, () => false),
    busy: () => weather.presses.value > 0,
    reload: () => (wanted ? window.location.assign(wanted) : window.location.reload()),
    tell: () => void document.getElementById('broken')?.removeAttribute('hidden'),
    wall: () => Date.now(),
  },
  sessionStorage,
)

// The page's chunk and its words come side by side.
void Promise.all([speak(preferred(store, navigator.languages)), router.isReady()]).then(() =>
  app.mount('#app'),
)
