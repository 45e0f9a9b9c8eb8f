/**
 * What all cards have in common: a card is made by a {@link org.backplane.kvm.spi.CardFactory}, which is an OSGi service.
 *
 * <pre>{@code
 * @Component
 * public final class MyFactory implements DeviceFactory {
 *     public String type() { return "my-device"; }
 *     …
 * }
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.kvm.spi;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
