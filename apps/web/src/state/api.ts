/** The page's one Api; holds the session's token. */
import { Api } from '../net/api.ts';

export const api = new Api();
