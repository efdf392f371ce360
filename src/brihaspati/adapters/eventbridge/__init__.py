"""The timer on EventBridge Scheduler."""

from brihaspati.adapters.eventbridge.alarms import Place, Timer, schedule_name

__all__ = ["Place", "Timer", "schedule_name"]
