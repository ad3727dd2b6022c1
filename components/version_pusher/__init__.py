"""The executor behind the stock Pusher: a version folder is complete or absent."""
