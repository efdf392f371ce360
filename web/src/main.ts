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
import { turn } from './turn'

const store = keep()
startTheme(store)

/** Reading the scripts is one task, this another, and drawing the page a third. */
async function start(): Promise<void> {
  const app = createApp(App)
  const router = newRouter(async () => {
    const { startAsking } = await import('./api/asking')
    await turn()
    startAsking(app)
  })
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
  await Promise.all([speak(preferred(store, navigator.languages)), router.isReady()])
  await turn()
  app.mount('#app')
}
void turn().then(start)
