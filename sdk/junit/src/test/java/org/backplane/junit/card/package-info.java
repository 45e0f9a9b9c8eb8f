/** A card for the tests; they make a bundle of it. */
package org.backplane.junit.card;
