import { sha256 } from './approval/digest.ts'
import { SERVER_ACTOR } from './approval/identity.ts'
import { credentialsPath, type Settings } from './config.ts'
import { newToken, saveToken } from './credentials.ts'
import { openDatabase } from './store/database.ts'
import { createSqliteStore } from './store/sqlite-store.ts'

/**
 * The way back in when every administrator's token is lost: whoever may write the database's folder gets a new one,
 * in the credentials file and on record. The server may be running.
 * @returns the path of the credentials file
 * @throws Error when there is no such user
 */
export async function issueToken(settings: Settings, userId: string, now: number): Promise<string> {
  const { db } = await openDatabase(settings.SECURITY_DB_PATH, now)
  const store = createSqliteStore(db)
  try {
    const token = newToken()
    const path = credentialsPath(settings)
    await store.setActive(userId, true, SERVER_ACTOR, now)
    const user = await store.setToken(userId, sha256(token), SERVER_ACTOR, now, () => saveToken(path, userId, token))
    if (!user) throw new Error(`no user ${userId} in ${settings.SECURITY_DB_PATH}`)
    return path
  } finally {
    await store.close()
  }
}
