/**
 * A JUnit extension that boots a VM with a card in it. The test needs no installed Backplane, no root and no native code: the board comes with the
 * jar, and runs in the test's JVM.
 *
 * <pre>{@code
 * class BlinkVmTest {
 *     @RegisterExtension
 *     static final TestVm vm = TestVm.builder().card(BlinkFactory.class).device("blink").build();
 *
 *     @Test
 *     void guestReadsTheIdentification() {
 *         assertEquals(0x42, vm.probe().in8(0x2e0));
 *     }
 * }
 * }</pre>
 *
 * <p>Without a kernel the VM boots the probe, a small guest that does what {@link org.backplane.junit.Probe} tells it: it reads and writes ports
 * and memory and counts interrupts, as a driver would, through the VM's CPU and MMU. With a kernel the test talks to the guest on its serial console:
 *
 * <pre>{@code
 *     static final TestVm vm = TestVm.builder().card(BlinkFactory.class).device("blink")
 *             .kernel(Path.of("vmlinuz")).initrd(Path.of("initramfs.cpio.gz")).append("console=ttyS0").build();
 *     …
 *     vm.serial().expect("login:", Duration.ofMinutes(2));
 *     vm.serial().send("root\n");
 * }</pre>
 *
 * <p>The classes of {@code org.backplane.kvm.api}, {@code .spi} and {@code .board.api} are the test's own, so {@link
 * org.backplane.junit.TestVm#machine} is what it is in a Backplane. The card is not: it runs from a bundle, with a class loader of its own.
 */
package org.backplane.junit;
