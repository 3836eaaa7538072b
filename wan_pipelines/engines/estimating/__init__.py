"""Seconds and memory of a shot before it is rendered: counted work, data sheets, calibration."""
