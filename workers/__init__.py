"""The Celery side: an app, a schedule and four short tasks. It only wakes the engine up; what is to be done is in the store."""
