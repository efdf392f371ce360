"""What AWS Lambda calls: events of API Gateway, SQS and EventBridge, in our words."""
