"""What is done when memory or time runs out: which errors mean that, and what comes next."""
