/**
 * A test bench for one device, with no CPU and no container, the contract that every device keeps ({@link
 * org.backplane.devicekit.test.DeviceContractTest}), and a guest that does anything at all ({@link org.backplane.devicekit.test.DeviceFuzzTest}). Only
 * these two need JUnit.
 *
 * <pre>{@code
 * class WatchdogTest extends DeviceContractTest {
 *     protected DeviceFactory factory() { return new WatchdogFactory(); }
 *     protected void exercise(DeviceBench b) { b.write("regs", 0, 1, 0x01); }
 *
 *     @Test
 *     void firesWhenNobodyResetsIt() {
 *         DeviceBench b = DeviceBench.of(factory());
 *         b.write("regs", 0, 1, 0x01);
 *         b.clock().advance(1_000_000_000);
 *         assertTrue(b.irq("irq").level());
 *     }
 * }
 *
 * class WatchdogFuzzTest extends DeviceFuzzTest {
 *     protected DeviceFactory factory() { return new WatchdogFactory(); }
 * }
 * }</pre>
 */
@Export
@Version("1.1.0")
package org.backplane.devicekit.test;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
