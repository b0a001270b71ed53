(() => {
  const root = document.scrollingElement || document.documentElement;
  const scrolls = (element) => element.scrollHeight - element.clientHeight > 8;
  let part = root;
  if (!scrolls(root)) {
    let tallest = 0;
    for (const element of Array.from(document.querySelectorAll('main, div, section, ul, ol')).slice(0, 5000)) {
      if (element.clientHeight > 200 && element.scrollHeight > tallest && scrolls(element) &&
          /auto|scroll|overlay/.test(getComputedStyle(element).overflowY)) {
        tallest = element.scrollHeight;
        part = element;
      }
    }
  }
  const before = part.scrollTop;
  part.scrollTo({ top: before + Math.max(part.clientHeight, 400) * 0.9, behavior: 'instant' });
  return part.scrollTop > before + 1;
})()
