/** An MJML newsletter of a given number of sections, with links and per-recipient values. */
export function newsletter(sections: number): string {
  const section = (index: number): string => `
    <mj-section background-color="${index % 2 ? '#ffffff' : '#f4f4f4'}">
      <mj-column>
        <mj-text font-size="18px">Story ${index} for {{firstName}}</mj-text>
        <mj-text>Every week we choose what is worth your time, {{firstName}}. This one comes from {{city}}, and it took us
          a while to find out why nobody had written it down before. <a href="https://example.com/stories/${index}/more">Read more</a>
          or <a href="https://example.com/stories/${index}/comments">see what others say</a>.</mj-text>
        <mj-button href="https://example.com/stories/${index}">Open story ${index}</mj-button>
      </mj-column>
    </mj-section>`;
  return `<mjml lang="en"><mj-body>${Array.from({ length: sections }, (_, index) => section(index)).join('')}
    <mj-section><mj-column><mj-text><a href="{{unsubscribeUrl}}">Unsubscribe</a></mj-text></mj-column></mj-section>
  </mj-body></mjml>`;
}
