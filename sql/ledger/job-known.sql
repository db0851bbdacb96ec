-- When was this job first seen? Its first sight is now, unless it was seen before.
INSERT INTO scheduled_jobs (job, known_since) VALUES (:job, :now)
ON CONFLICT (job) DO UPDATE SET job = excluded.job
RETURNING known_since
