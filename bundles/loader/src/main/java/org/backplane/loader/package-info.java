/** Loaders for kernel images: bzImage and multiboot, each a {@link org.backplane.kvm.spi.boot.BootLoader} service. */
package org.backplane.loader;
