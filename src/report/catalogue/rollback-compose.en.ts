import type { SameKeys } from '../words.ts'
import type { ko } from './rollback-compose.ko.ts'

export const en: SameKeys<typeof ko> = {
  found: 'Container {name}, made in {directory} by {tool} {version} ({how}).',
  how_folder: 'the server of the folder where this configuration lies',
  how_image: 'not of this folder, but the only approval-ops server on this machine',
  not_passed_on: 'What your shell exports as {keys} is not passed on.',
  docker_missing: 'there is no docker command. Install the Docker CLI, or correct PATH: command -v docker',
  engine_down: 'no Docker engine is running ({message}). Start it: sudo systemctl start docker',
  engine_hangs:
    'the Docker engine does not answer within {seconds} s. Look at DOCKER_HOST and at the engine: systemctl status docker',
  socket_forbidden:
    'you may not use the Docker socket. Run it again as root or as a member of the group docker: sg docker -c "..."',
  compose_missing: 'there is neither docker compose nor docker-compose. Install one: apt-get install docker-compose',
  compose_refuses: 'compose cannot read its own files: {message}',
  service_gone: 'there is no service {service} in {files}. Are these the files that the container was made from?',
  file_gone: '{file}, which the container was made from, is not there. Put it back, and run this again',
  several: 'several server containers, so none can be chosen: {list}. Keep one; stop and remove the others',
  gone: 'project {project} has no container for {service}. Start it first: {command}',
  paused: 'container {name} is paused. Continue it first: docker unpause {name}',
  image_gone: 'image {image} is gone, so the container cannot be made again. Bring it back: docker tag {id} {image}',
  image_moved:
    '{image} is now another image than the container runs. A rollback does not deploy another version. Pin it: docker tag {id} {image}',
  fixed_by_file: '{files} sets {key}, so what {env} says does not count',
  up_failed: 'compose could not make the container again: {message}',
  not_settled: 'the container is not what compose was told to make: {state}',
  half_made: 'a recreate that was cut off has left containers ({names})',
  not_taken_over: 'the container has other values than compose says for {keys}',
  keeps_ending: 'the server starts and ends again (exit code {code}, {n} restarts). Its last words: {log}',
  has_ended: 'the server has ended (state {state}, exit code {code}). Its last words: {log}',
  snapshot_failed: 'the {what} of the container could not be kept: {message}',
  not_handed_over: 'the result could not be handed to the record of the server in its container: {message}',
  starts: 'The container does not run ({state}). This rollback starts it.',
}
