/** Helpers for the unit tests of cards, in kvm-api's test-jar: guest memory and the MMU's world. No part of any bundle. */
package org.backplane.kvm.testing;
