/**
 * Firmware images and kernel loaders.
 *
 * <pre>{@code
 * for (BootLoader l : loaders) if (l.recognises(image)) { l.load(request); return; }
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.kvm.spi.boot;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
