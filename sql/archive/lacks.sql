-- Does an earlier archive of the same month, attached as `live`, hold anything that the new one, `main`, has not? The
-- hash of an event stands for all of it; requests of the old system have no event.
SELECT EXISTS (SELECT hash FROM live.approval_events EXCEPT SELECT hash FROM main.approval_events)
    OR EXISTS (SELECT request_id FROM live.approval_requests EXCEPT SELECT request_id FROM main.approval_requests) AS lacks
