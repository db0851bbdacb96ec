/**
 * `npm run contacts -- who [SITUATION]`: whom the runbook says to call, and how soon they answer. Reads contacts.json
 * alone, so that it answers with no server, no database and a broken `.env`. `--help` lists situations and exit codes.
 */
import { contactsCommand } from '../src/contacts-command.ts'

process.exitCode = await contactsCommand(process)
