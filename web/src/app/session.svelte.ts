// Who is signed in and which program answers: asked once at start, then kept up to date by signing in and out.
import * as api from '../api/client';
import type { About, Role, Session } from '../api/types';

class App {
  about = $state.raw<About | null>(null);
  session = $state.raw<Session | null>(null);

  /** Asks the program who it is and who is signed in. */
  async start() {
    const [about, session] = await Promise.all([api.about(), api.session()]);
    this.about = about;
    this.session = session;
  }

  async signIn(account: string, password: string) {
    await api.signIn(account, password);
    this.session = await api.session();
  }

  async signOut() {
    await api.signOut();
    this.session = null;
  }

  /** Whether the signed-in account has one of these roles. */
  is(...roles: Role[]): boolean {
    return this.session !== null && roles.includes(this.session.role);
  }
}

export const app = new App();
