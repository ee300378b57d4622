"""Fashion-MNIST, its class names, batches and augmentation."""
