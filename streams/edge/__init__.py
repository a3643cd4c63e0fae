"""What stands at a centre for ever: it collects, keeps on disk, sends on; and the gateway that receives. It folds nothing."""
