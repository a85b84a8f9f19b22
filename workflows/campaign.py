"""A campaign: its configuration, its flow, and what it would calculate."""

from __future__ import annotations

from .campaign_config import CampaignConfig, load_campaign
from .campaign_flows import campaign_flow, interface_plans, plan_remarks, structure_remarks
from .planned import PlannedCalculation, jobs_in_order, memory_store, planned_calculations
from .plans import Plan, dry_run, mended, once, plan_campaign

__all__ = [
    "CampaignConfig",
    "Plan",
    "PlannedCalculation",
    "campaign_flow",
    "dry_run",
    "interface_plans",
    "jobs_in_order",
    "load_campaign",
    "memory_store",
    "mended",
    "once",
    "plan_campaign",
    "plan_remarks",
    "planned_calculations",
    "structure_remarks",
]
