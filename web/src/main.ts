import '@fontsource-variable/bricolage-grotesque/wght.css'
import '@fontsource-variable/figtree/wght.css'
import './styles/main.css'
import { createApp } from 'vue'
import App from './App.vue'
import { preferred, speak } from './i18n'
import { keep } from './keep'
import { newRouter } from './router'
import { startTheme } from './theme'

const store = keep()
startTheme(store)

// After a deploy an open tab asks for chunks that are gone; a fresh page has the new ones.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem('brihaspati.reloaded') ?? 0)
  if (Date.now() - last < 10_000) return
  event.preventDefault()
  sessionStorage.setItem('brihaspati.reloaded', String(Date.now()))
  window.location.reload()
})

const app = createApp(App)
const router = newRouter(async () => (await import('./api/asking')).startAsking(app))
app.use(router)

// The page's chunk and its words come side by side.
void Promise.all([speak(preferred(store, navigator.languages)), router.isReady()]).then(() =>
  app.mount('#app'),
)
